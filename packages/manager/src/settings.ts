import { deriveKey, requireSetting } from '@evander/process';
import type { Log, SettingName, Settings } from '@evander/process';
import type { ManagerOptions } from './manager.ts';

/** The variables that a manager reads. */
export const MANAGER_SETTINGS = [
  'host',
  'apiPort',
  'databaseUrl',
  'databasePoolSize',
  'mqttUrl',
  'mqttPrefix',
  'secret',
  'adminKey',
  'apiFailuresPerAddress',
  'apiFailuresPerKey',
  'trustedProxies',
  'hiddenDataTransfers',
  'unknownStations',
  'heartbeatSeconds',
  'answerTimeoutSeconds',
  'drainSeconds',
  'logLevel',
] as const satisfies readonly SettingName[];

export type ManagerSettings = Settings<(typeof MANAGER_SETTINGS)[number]>;

/** What `startManager` wants, from the environment's settings. Throws SettingsError when one that it needs is not set. */
export function managerOptions(settings: ManagerSettings, log: Log): ManagerOptions {
  const secret = requireSetting(settings, 'secret');
  return {
    host: settings.host,
    apiPort: settings.apiPort,
    databaseUrl: requireSetting(settings, 'databaseUrl'),
    databasePoolSize: settings.databasePoolSize,
    mqttUrl: requireSetting(settings, 'mqttUrl'),
    mqttPrefix: settings.mqttPrefix,
    gatewayKey: deriveKey(secret, 'gateway'),
    passwordPepper: deriveKey(secret, 'station-password'),
    sealingKey: deriveKey(secret, 'sealing'),
    ...(settings.adminKey !== undefined && { adminKey: settings.adminKey }),
    failureLimits: { address: settings.apiFailuresPerAddress, key: settings.apiFailuresPerKey },
    trustedProxies: listOf(settings.trustedProxies),
    hiddenDataTransfers: listOf(settings.hiddenDataTransfers),
    unknownStations: settings.unknownStations ?? 'reject',
    heartbeatSeconds: settings.heartbeatSeconds,
    answerTimeoutMs: settings.answerTimeoutSeconds * 1000,
    drainMs: settings.drainSeconds * 1000,
    log,
  };
}

function listOf(text = ''): string[] {
  return text
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
}
