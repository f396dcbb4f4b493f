import type { Requests, Responses } from '@evander/ocpp';
import type { CommandedStation } from './commanded-station.ts';

/** SEC M03: NotFound if there is none of this type. */
export function getInstalledCertificateIds(
  station: Pick<CommandedStation, 'certificates'>,
  { certificateType }: Requests['GetInstalledCertificateIds'],
): Responses['GetInstalledCertificateIds'] {
  const certificateHashData = station.certificates.list(certificateType);
  return certificateHashData.length > 0
    ? { status: 'Accepted', certificateHashData }
    : { status: 'NotFound' };
}
