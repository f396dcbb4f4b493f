import type { Requests, Responses } from '@evander/ocpp';
import type { Station } from '../station.ts';

/** SEC M03: NotFound when there is none of this type. */
export function getInstalledCertificateIds(
  station: Station,
  { certificateType }: Requests['GetInstalledCertificateIds'],
): Responses['GetInstalledCertificateIds'] {
  const certificateHashData = station.certificates.list(certificateType);
  return certificateHashData.length > 0
    ? { status: 'Accepted', certificateHashData }
    : { status: 'NotFound' };
}
