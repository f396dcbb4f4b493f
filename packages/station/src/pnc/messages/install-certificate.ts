import { command } from '../command.ts';
import { pemOf } from '../hex-der.ts';
import { object, oneOf, text } from '../shape.ts';

/** Native names of Has2Be's additional types. */
export const NATIVE_TYPES = {
  CSMSRootCertificate: 'CentralSystemRootCertificate',
  ManufacturerRootCertificate: 'ManufacturerRootCertificate',
} as const;

/** All roots that Has2Be can install. */
export type Has2beRootType = keyof typeof NATIVE_TYPES | 'V2GRootCertificate' | 'MORootCertificate';

const v2gTypes = ['V2GRootCertificate', 'MORootCertificate'] as const;

/** PNC §4.1: installs a root for cars or contracts. */
export const installCertificate = {
  oca: command(
    object({ certificateType: oneOf(...v2gTypes), certificate: text(5500) }),
    ({ pnc }, { certificateType, certificate }) => ({
      status: pnc.certificates.install(certificateType, certificate),
    }),
  ),
  // The specified 800 characters are too few for an RSA certificate.
  has2be: command(
    object({
      certificateType: oneOf(...v2gTypes, 'CSMSRootCertificate', 'ManufacturerRootCertificate'),
      certificate: text(11_000),
    }),
    ({ pnc, certificates }, { certificateType: type, certificate }) => ({
      status:
        type === 'CSMSRootCertificate' || type === 'ManufacturerRootCertificate'
          ? certificates.install({ certificateType: NATIVE_TYPES[type], certificate: pemOf(certificate) })
          : pnc.certificates.install(type, pemOf(certificate)),
    }),
  ),
};
