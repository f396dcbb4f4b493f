import type { Requests, Responses } from '@evander/ocpp';
import { reportSecurityEvent } from '../deliver.ts';
import { reconnect } from '../restart.ts';
import type { Station } from '../station.ts';

/** SEC A02: a chain that fits the last CSR is used from the next connection on, which profile 3 makes at once. */
export function certificateSigned(
  station: Station,
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

/** Over a new socket, where the old certificate is in use. */
export function useNewCertificate(station: Station): void {
  const { quirks, security, options } = station;
  if (quirks.dropAfterCertificateSigned) return station.afterAnswer(() => station.drop());
  const { reconnectWithNewCertificate = true } = options.security ?? {};
  if (security.profile === 3 && reconnectWithNewCertificate) station.afterAnswer(() => reconnect(station));
}
