import type { Requests, Responses } from '@evander/ocpp';
import type { Station } from '../station.ts';

/** SEC M04 */
export function deleteCertificate(
  station: Station,
  { certificateHashData }: Requests['DeleteCertificate'],
): Responses['DeleteCertificate'] {
  return { status: station.certificates.delete(certificateHashData) };
}
