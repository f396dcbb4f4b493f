import { list, object, oneOf, text } from './shape.ts';

/** What both dialects have in common: their fields, as far as they are more than a word. */
const hash = {
  hashAlgorithm: oneOf('SHA256', 'SHA384', 'SHA512'),
  issuerNameHash: text(128),
  issuerKeyHash: text(128),
  serialNumber: text(40),
};

/** What names a certificate. */
export const hashData = object(hash);

export const ACCEPTED_OR_REJECTED = object({ status: oneOf('Accepted', 'Rejected') });

/** The chain types of Has2Be's Get15118EVCertificate. */
export const certificateChain = object({ certificate: text(5500) }, { childCertificate: list(text(5500)) });

/** What names a certificate, and who knows whether it was revoked. */
export type OcspRequestData = {
  hashAlgorithm: 'SHA256' | 'SHA384' | 'SHA512';
  issuerNameHash: string;
  issuerKeyHash: string;
  serialNumber: string;
  responderURL: string;
};
