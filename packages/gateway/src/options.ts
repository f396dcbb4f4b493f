import { gatewayKeys, listOf, Sealer, SettingsError } from '@evander/process';
import type { Log } from '@evander/process';
import { credentialsFromManager } from './credentials.ts';
import type { GatewayOptions } from './gateway.ts';
import { askManagers } from './manager-call.ts';
import { certificatesFromFiles, certificatesFromManager } from './server-certificates.ts';
import type { CertificateSource } from './server-certificates.ts';
import type { GatewaySettings } from './settings.ts';

/** The first time the authority itself has to be made. */
const ISSUE_MS = 60_000;

/** What `startGateway` wants, from the environment's settings. Throws SettingsError when they do not fit together. */
export function gatewayOptions(settings: GatewaySettings, log: Log): GatewayOptions {
  const keys = gatewayKeys(settings.gatewaySecret);
  const managers = { managerUrls: settings.managerUrl.split(','), gatewayKey: keys.gatewayKey };
  return {
    host: settings.host,
    wsPort: settings.wsPort,
    statusPort: settings.gatewayStatusPort,
    mqttUrl: settings.mqttUrl,
    mqttPrefix: settings.mqttPrefix,
    wssPort: settings.wssPort,
    certificates: certificateSource(settings, { ...managers, ...keys }),
    trustedProxies: listOf(settings.trustedProxies),
    lowestSecurityProfile: Number(settings.lowestSecurityProfile),
    clientCertificateHeader: settings.clientCertificateHeader,
    credentialsOf: credentialsFromManager(managers),
    rememberCredentialsMs: settings.rememberCredentialsHours * 3_600_000,
    limits: {
      framesPerSecond: settings.stationFramesPerSecond,
      bytesPerSecond: settings.stationBytesPerSecond,
      queuedBytes: settings.maxQueuedMib * 1_048_576,
      connections: settings.maxConnections,
      connectionsPerAddress: settings.maxConnectionsPerAddress,
      handshakeMs: settings.handshakeSeconds * 1000,
    },
    passwordPepper: keys.passwordPepper,
    maxFrameBytes: settings.maxFrameBytes,
    pingMs: settings.pingSeconds * 1000,
    failFastMs: settings.failFastSeconds * 1000,
    answerTimeoutMs: settings.answerTimeoutSeconds * 1000,
    drainMs: settings.drainSeconds * 1000,
    log,
  };
}

function certificateSource(
  settings: GatewaySettings,
  managers: { managerUrls: string[]; gatewayKey: string; serverKeySecret: string },
): CertificateSource {
  const certificateFiles = listOf(settings.tlsCertificateFiles);
  const keyFiles = listOf(settings.tlsKeyFiles);
  if (certificateFiles.length !== keyFiles.length)
    throw new SettingsError(
      'EVANDER_TLS_CERTIFICATE_FILES and EVANDER_TLS_KEY_FILES must name as many files each, in the same order',
    );
  if (certificateFiles.length > 0) return certificatesFromFiles(certificateFiles, keyFiles);
  const sealer = new Sealer(managers.serverKeySecret);
  return certificatesFromManager(askManagers({ ...managers, timeoutMs: ISSUE_MS }), {
    names: listOf(settings.tlsNames),
    sealer,
  });
}
