import {
  gatewayKeys,
  gatewaySecretOf,
  listOf,
  sealingKeyOf,
  setting,
  SHARED_SETTINGS,
} from '@evander/process';
import type { Log, Settings } from '@evander/process';
import { API_KEY_SETTINGS } from './api-keys/settings.ts';
import { CERTIFICATE_SETTINGS, certificateOptions } from './certificates/settings.ts';
import { DATABASE_SETTINGS } from './database/settings.ts';
import { EVENT_SETTINGS } from './events/settings.ts';
import { FILE_SETTINGS, fileOptions, ftpOptions } from './files/settings.ts';
import { FRAME_SETTINGS } from './frames/settings.ts';
import { HTTP_SETTINGS } from './http/settings.ts';
import type { ManagerOptions } from './manager-options.ts';
import { OUTBOUND_SETTINGS } from './outbound/settings.ts';
import { PNC_SETTINGS, pncOptions } from './plug-and-charge/settings.ts';
import { RETENTION_SETTINGS, retentionDays } from './retention/settings.ts';
import { STATION_SETTINGS } from './stations/settings.ts';
import { WEBHOOK_SETTINGS } from './webhooks/settings.ts';

const {
  host,
  mqttUrl,
  mqttPrefix,
  trustedProxies,
  heartbeatSeconds,
  answerTimeoutSeconds,
  drainSeconds,
  logLevel,
} = SHARED_SETTINGS;

/** Settings that a manager reads: those of its rooms, and its own. */
export const MANAGER_SETTINGS = {
  host,
  ...HTTP_SETTINGS,
  ...DATABASE_SETTINGS,
  mqttUrl,
  mqttPrefix,
  secret: setting(
    'EVANDER_SECRET',
    'secret',
    undefined,
    'Secret of at least 32 characters, the same for all managers and known to nobody else. Keys for secrets in the database and for the gateways are derived from it. If unset, `start` generates one',
  ),
  ...API_KEY_SETTINGS,
  trustedProxies,
  ...FRAME_SETTINGS,
  ...STATION_SETTINGS,
  publicUrl: setting(
    'EVANDER_PUBLIC_URL',
    'httpUrl',
    undefined,
    'URL at which stations reach a manager, for file links and addresses in certificates, such as http://csms.example:9410; if unset, file links use the address that the API listens on',
  ),
  ...OUTBOUND_SETTINGS,
  ...CERTIFICATE_SETTINGS,
  ...EVENT_SETTINGS,
  ...WEBHOOK_SETTINGS,
  heartbeatSeconds,
  answerTimeoutSeconds,
  drainSeconds,
  ...PNC_SETTINGS,
  ...FILE_SETTINGS,
  ...RETENTION_SETTINGS,
  logLevel,
};

/** Settings that a manager requires. */
export const MANAGER_REQUIRED = ['databaseUrl', 'mqttUrl', 'secret'] as const;

export type ManagerSettings = Settings<typeof MANAGER_SETTINGS, (typeof MANAGER_REQUIRED)[number]>;

/** Converts settings to the options of `startManager`. Throws SettingsError if they contradict each other. */
export function managerOptions(settings: ManagerSettings, log: Log): ManagerOptions {
  const { secret } = settings;
  return {
    host: settings.host,
    apiPort: settings.apiPort,
    databaseUrl: settings.databaseUrl,
    databasePoolSize: settings.databasePoolSize,
    exportMs: settings.exportMinutes * 60_000,
    mqttUrl: settings.mqttUrl,
    mqttPrefix: settings.mqttPrefix,
    ...gatewayKeys(gatewaySecretOf(secret)),
    sealingKey: sealingKeyOf(secret),
    ...(settings.publicUrl !== undefined && { publicUrl: settings.publicUrl }),
    outboundPrivate: settings.outboundPrivate === 'allow',
    certificates: certificateOptions(settings),
    ...(settings.adminKey !== undefined && { adminKey: settings.adminKey }),
    failureLimits: { address: settings.apiFailuresPerAddress, key: settings.apiFailuresPerKey },
    trustedProxies: listOf(settings.trustedProxies),
    hiddenDataTransfers: listOf(settings.hiddenDataTransfers),
    unknownStations: settings.unknownStations ?? 'reject',
    maxEventStreams: settings.eventStreams,
    webhookGiveUpHours: settings.webhookGiveUpHours,
    heartbeatSeconds: settings.heartbeatSeconds,
    answerTimeoutMs: settings.answerTimeoutSeconds * 1000,
    drainMs: settings.drainSeconds * 1000,
    retentionDays: retentionDays(settings),
    plugAndCharge: pncOptions(settings),
    files: fileOptions(settings),
    ftp: ftpOptions(settings),
    log,
  };
}
