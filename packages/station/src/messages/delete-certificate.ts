import type { Requests, Responses } from '@evander/ocpp';
import type { CommandedStation } from './commanded-station.ts';

/** SEC M04 */
export function deleteCertificate(
  station: Pick<CommandedStation, 'certificates'>,
  { certificateHashData }: Requests['DeleteCertificate'],
): Responses['DeleteCertificate'] {
  return { status: station.certificates.delete(certificateHashData) };
}
