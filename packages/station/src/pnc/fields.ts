import { list, object, oneOf, text } from './shape.ts';

/** Fields shared by both dialects. */
const hash = {
  hashAlgorithm: oneOf('SHA256', 'SHA384', 'SHA512'),
  issuerNameHash: text(128),
  issuerKeyHash: text(128),
  serialNumber: text(40),
};

/** Identifies a certificate. */
export const hashData = object(hash);

export const ACCEPTED_OR_REJECTED = object({ status: oneOf('Accepted', 'Rejected') });

/** The chain types of Has2Be's Get15118EVCertificate. */
export const certificateChain = object({ certificate: text(5500) }, { childCertificate: list(text(5500)) });

/** Identifies a certificate and its OCSP responder. */
export type OcspRequestData = {
  hashAlgorithm: 'SHA256' | 'SHA384' | 'SHA512';
  issuerNameHash: string;
  issuerKeyHash: string;
  serialNumber: string;
  responderURL: string;
};
