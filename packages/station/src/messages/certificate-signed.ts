import type { Requests, Responses } from '@evander/ocpp';
import { reportSecurityEvent } from '../deliver.ts';
import type { Station } from '../station.ts';

/** SEC A02: a chain that fits the last CSR is used from the next connection on, which profile 3 makes at once. */
export function certificateSigned(
  station: Station,
  { certificateChain }: Requests['CertificateSigned'],
): Responses['CertificateSigned'] {
  if (!station.certificates.accept(certificateChain)) {
    station.afterAnswer(() => reportSecurityEvent(station, 'InvalidChargePointCertificate'));
    return { status: 'Rejected' };
  }
  const isInUse = station.configuration.integer('SecurityProfile') === 3;
  if (station.quirks.dropAfterCertificateSigned) station.afterAnswer(() => station.drop());
  else if (isInUse)
    station.afterAnswer(async () => {
      await station.disconnect();
      await station.goOnline();
    });
  return { status: 'Accepted' };
}
