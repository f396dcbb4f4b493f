import type { CertificateHashData } from '@evander/ocpp';
import { command } from '../command.ts';
import type { PncStation } from '../pnc-station.ts';
import { either, list, object, oneOf } from '../shape.ts';
import { NATIVE_TYPES, type Has2beRootType } from './install-certificate.ts';

const V2G_TYPES = ['V2GRootCertificate', 'MORootCertificate', 'V2GCertificateChain'] as const;
const HAS2BE_TYPES = [...V2G_TYPES, 'CSMSRootCertificate', 'ManufacturerRootCertificate'] as const;

type Has2beType = Has2beRootType | 'V2GCertificateChain';

/** PNC §4.3: without a type, or with an empty list, requests all. */
export const getInstalledCertificateIds = {
  oca: command(
    object({}, { certificateType: list(oneOf(...V2G_TYPES)) }),
    ({ pnc }, { certificateType = [] }) =>
      answer(pnc.certificates.list(certificateType.length > 0 ? certificateType : V2G_TYPES)),
  ),
  // Implementations use different forms: one type, or a list.
  has2be: command(
    object({}, { typeOfCertificate: either(oneOf(...HAS2BE_TYPES), list(oneOf(...HAS2BE_TYPES))) }),
    (station, { typeOfCertificate = [] }) => {
      const types = [typeOfCertificate].flat();
      return answer((types.length > 0 ? types : HAS2BE_TYPES).flatMap((type) => hashesOf(station, type)));
    },
  ),
};

function hashesOf({ pnc, certificates }: PncStation, type: Has2beType): CertificateHashData[] {
  if (type === 'CSMSRootCertificate' || type === 'ManufacturerRootCertificate')
    return certificates.list(NATIVE_TYPES[type]);
  return pnc.certificates.list([type]).map(({ certificateHashData }) => certificateHashData);
}

function answer(certificateHashDataChain: object[]): object {
  return certificateHashDataChain.length > 0
    ? { status: 'Accepted', certificateHashDataChain }
    : { status: 'NotFound' };
}
