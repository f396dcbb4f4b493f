import { deriveKey, requireSetting } from '@evander/process';
import type { Log, SettingName, Settings } from '@evander/process';
import { credentialsFromManager } from './credentials.ts';
import type { GatewayOptions } from './gateway.ts';

/** The variables that a gateway reads. */
export const GATEWAY_SETTINGS = [
  'host',
  'wsPort',
  'gatewayStatusPort',
  'mqttUrl',
  'mqttPrefix',
  'managerUrl',
  'secret',
  'maxFrameBytes',
  'pingSeconds',
  'answerTimeoutSeconds',
  'drainSeconds',
  'logLevel',
] as const satisfies readonly SettingName[];

export type GatewaySettings = Settings<(typeof GATEWAY_SETTINGS)[number]>;

/** What `startGateway` wants, from the environment's settings. Throws SettingsError when one that it needs is not set. */
export function gatewayOptions(settings: GatewaySettings, log: Log): GatewayOptions {
  const secret = requireSetting(settings, 'secret');
  return {
    host: settings.host,
    wsPort: settings.wsPort,
    statusPort: settings.gatewayStatusPort,
    mqttUrl: requireSetting(settings, 'mqttUrl'),
    mqttPrefix: settings.mqttPrefix,
    credentialsOf: credentialsFromManager({
      managerUrls: settings.managerUrl.split(','),
      gatewayKey: deriveKey(secret, 'gateway'),
      log,
    }),
    passwordPepper: deriveKey(secret, 'station-password'),
    maxFrameBytes: settings.maxFrameBytes,
    pingMs: settings.pingSeconds * 1000,
    answerTimeoutMs: settings.answerTimeoutSeconds * 1000,
    drainMs: settings.drainSeconds * 1000,
    log,
  };
}
