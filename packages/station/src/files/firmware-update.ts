import { once } from 'node:events';
import { verify, X509Certificate } from 'node:crypto';
import type { Connector } from '../charging/connector.ts';
import { reportSecurityEvent } from '../connection/deliver.ts';
import type { Connectors } from '../context/station-context.ts';
import { restart, type RestartContext } from '../lifecycle/restart.ts';
import type { FileJob } from './file-job.ts';
import { download } from './transfers.ts';

/** Parts of the station that a firmware update affects. */
export type FirmwareUpdateContext = RestartContext &
  Connectors<Pick<Connector, 'session' | 'isOperative' | 'setStatus' | 'setOperative'>> & {
    firmwareVersion: string;
  };

/** The parameters of a firmware update, signed or not. */
export type FirmwareOrder = {
  location: string;
  retrieveAt: string;
  installAt?: string | undefined;
  retries?: number | undefined;
  retryInterval?: number | undefined;
  /** Only for a signed update. */
  signature?: { certificate: string; value: string };
};

type FirmwareJob = FileJob<'firmware'>;

/** Downloads, verifies, installs, restarts with the new version, and reports each step. */
export async function updateFirmware(
  station: FirmwareUpdateContext,
  job: FirmwareJob,
  order: FirmwareOrder,
): Promise<void> {
  await waitUntil(station, job, { time: order.retrieveAt, scheduled: 'DownloadScheduled', order });
  await job.report('Downloading');
  const firmware = await job.attempt(() => download(station, order.location, job.signal), {
    ...order,
    failure: 'DownloadFailed',
  });
  await job.pass('Downloaded', 'DownloadFailed');
  if (order.signature) await checkSignature(station, job, { firmware, ...order.signature });
  if (order.installAt)
    await waitUntil(station, job, { time: order.installAt, scheduled: 'InstallScheduled', order });
  await install(station, job, order);
  await job.report('Installed');
}

async function waitUntil(
  station: FirmwareUpdateContext,
  job: FirmwareJob,
  options: { time: string; scheduled: 'DownloadScheduled' | 'InstallScheduled'; order: FirmwareOrder },
): Promise<void> {
  const leftMs = Date.parse(options.time) - Date.parse(station.timestamp());
  if (!(leftMs > 0)) return;
  // Only a signed update has a status for this.
  if (options.order.signature) await job.report(options.scheduled);
  await job.pause(leftMs / station.speed);
}

async function checkSignature(
  station: FirmwareUpdateContext,
  job: FirmwareJob,
  { firmware, certificate, value }: { firmware: Buffer; certificate: string; value: string },
): Promise<void> {
  const isBad =
    job.outcome === 'InvalidSignature' ||
    (station.options.transfers === 'real' && !isSigned(firmware, certificate, value));
  if (!isBad) return job.report('SignatureVerified');
  void reportSecurityEvent(station, 'InvalidFirmwareSignature');
  await job.fail('InvalidSignature');
}

function isSigned(firmware: Buffer, certificate: string, signature: string): boolean {
  return verify(
    'sha256',
    firmware,
    new X509Certificate(certificate).publicKey,
    Buffer.from(signature, 'base64'),
  );
}

async function install(
  station: FirmwareUpdateContext,
  job: FirmwareJob,
  order: FirmwareOrder,
): Promise<void> {
  // Transactions end first; meanwhile the connectors accept no new ones.
  for (const { session } of station.connectors)
    if (session && !session.ended.aborted) await once(session.ended, 'abort', { signal: job.signal });
  try {
    for (const connector of station.connectors) await connector.setStatus('Unavailable');
    await job.pass('Installing');
    for (const failure of ['InstallVerificationFailed', 'InstallationFailed'] as const)
      if (job.outcome === failure) await job.fail(failure);
    if (order.signature) await job.report('InstallRebooting');
    await startNewVersion(station);
  } finally {
    for (const connector of station.connectors) await connector.setOperative(connector.isOperative);
  }
}

async function startNewVersion(station: FirmwareUpdateContext): Promise<void> {
  const { nextFirmwareVersion, firmwareReboot = 'newSocket' } = station.options;
  station.firmwareVersion = nextFirmwareVersion ?? following(station.firmwareVersion);
  if (firmwareReboot === 'none') return;
  await restart(station, {
    reason: 'Reboot',
    isGraceful: true,
    onSameSocket: firmwareReboot === 'sameSocket',
  });
}

function following(version: string): string {
  const lastNumber = /(?<!\d)\d+$/;
  return lastNumber.test(version)
    ? version.replace(lastNumber, (last) => String(Number(last) + 1))
    : `${version}.1`;
}
