import type { Requests, Responses } from '@evander/ocpp';
import { reportSecurityEvent } from '../connection/deliver.ts';
import { useNewCertificate } from '../security/new-certificate.ts';
import type { CommandedStation } from './commanded-station.ts';

/** SEC A02: a chain that matches the last CSR is used from the next connection on, which profile 3 opens immediately. */
export function certificateSigned(
  station: CommandedStation,
  { certificateChain }: Requests['CertificateSigned'],
): Responses['CertificateSigned'] {
  const fault = station.certificates.accept(certificateChain);
  if (fault !== undefined) {
    station.afterAnswer(() => reportSecurityEvent(station, 'InvalidChargePointCertificate', fault));
    return { status: 'Rejected' };
  }
  useNewCertificate(station);
  return { status: 'Accepted' };
}
