import { X509Certificate } from 'node:crypto';
import type { Requests, Responses } from '@evander/ocpp';
import { deliver, reportSecurityEvent } from '../connection/deliver.ts';
import { updateFirmware } from '../files/firmware-update.ts';
import type { CommandedStation } from './commanded-station.ts';

/** SEC L01: like UpdateFirmware, with a signature; every notification repeats the requestId. */
export function signedUpdateFirmware(
  station: CommandedStation,
  { requestId, firmware, retries, retryInterval }: Requests['SignedUpdateFirmware'],
): Responses['SignedUpdateFirmware'] {
  const { location, retrieveDateTime, installDateTime, signingCertificate, signature } = firmware;
  if (station.options.transfers === 'real' && !isCertificate(signingCertificate)) {
    station.afterAnswer(() => reportSecurityEvent(station, 'InvalidFirmwareSigningCertificate'));
    return { status: 'InvalidCertificate' };
  }
  const isCanceled = station.jobs.start('firmware', {
    send: (status) => deliver(station, 'SignedFirmwareStatusNotification', { status, requestId }),
    run: (job) =>
      updateFirmware(station, job, {
        location,
        retrieveAt: retrieveDateTime,
        installAt: installDateTime,
        retries,
        retryInterval,
        signature: { certificate: signingCertificate, value: signature },
      }),
  });
  return { status: isCanceled ? 'AcceptedCanceled' : 'Accepted' };
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).validTo !== '';
  } catch {
    return false;
  }
}
