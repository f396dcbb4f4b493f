import { gatewayKeys, gatewaySecretOf, requireSetting, sealingKeyOf } from '@evander/process';
import type { Log, SettingName, Settings } from '@evander/process';
import { readFileSync } from 'node:fs';
import type { CertificateOptions } from './certificates/certificates.ts';
import { FILE_SETTINGS, fileOptions, ftpOptions } from './files/settings.ts';
import type { ManagerOptions } from './manager-options.ts';
import { PNC_SETTINGS, pncOptions } from './plug-and-charge/settings.ts';
import { RETENTION_SETTINGS, retentionDays } from './retention/retention-settings.ts';

/** Settings that a manager reads. */
export const MANAGER_SETTINGS = [
  'host',
  'apiPort',
  'databaseUrl',
  'databasePoolSize',
  'exportMinutes',
  'mqttUrl',
  'mqttPrefix',
  'secret',
  'adminKey',
  'apiFailuresPerAddress',
  'apiFailuresPerKey',
  'trustedProxies',
  'hiddenDataTransfers',
  'unknownStations',
  'publicUrl',
  'outboundPrivate',
  'organisation',
  'certificateAuthority',
  'estUrl',
  'estUser',
  'estPassword',
  'estCaFile',
  'stationCertificateDays',
  'certificateRenewDays',
  'eventStreams',
  'webhookGiveUpHours',
  'heartbeatSeconds',
  'answerTimeoutSeconds',
  'drainSeconds',
  ...PNC_SETTINGS,
  ...FILE_SETTINGS,
  ...RETENTION_SETTINGS,
  'logLevel',
] as const satisfies readonly SettingName[];

/** Settings that a manager requires. */
export const MANAGER_REQUIRED = [
  'databaseUrl',
  'mqttUrl',
  'secret',
] as const satisfies readonly SettingName[];

export type ManagerSettings = Settings<(typeof MANAGER_SETTINGS)[number], (typeof MANAGER_REQUIRED)[number]>;

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
    certificates: certificateSettings(settings),
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

function listOf(text = ''): string[] {
  return text
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
}

function certificateSettings(settings: ManagerSettings): CertificateOptions {
  const { organisation, certificateAuthority, stationCertificateDays: stationDays, estCaFile } = settings;
  const common = { organisation, stationDays, renewDays: settings.certificateRenewDays };
  if (certificateAuthority !== 'est') return { ...common, signedBy: certificateAuthority };
  return {
    ...common,
    signedBy: 'est',
    est: {
      url: requireSetting(settings, 'estUrl'),
      ...(settings.estUser !== undefined && { user: settings.estUser }),
      ...(settings.estPassword !== undefined && { password: settings.estPassword }),
      ...(estCaFile !== undefined && { ca: readFileSync(estCaFile, 'utf8') }),
    },
  };
}
