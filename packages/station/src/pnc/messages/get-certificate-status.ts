import type { OcspRequestData } from '../fields.ts';
import type { PncMessage } from '../message.ts';
import { object, oneOf, text } from '../shape.ts';

export type GetCertificateStatusAnswer = { status: 'Accepted' | 'Failed' | 'Rejected'; ocspResult?: string };

const write = (ocspRequestData: OcspRequestData) => ({ ocspRequestData });

/** PNC §6.5: the OCSP answer for a certificate, as base64 of its DER. */
export const getCertificateStatus: PncMessage<OcspRequestData, GetCertificateStatusAnswer> = {
  messageId: 'GetCertificateStatus',
  oca: { write, answer: object({ status: oneOf('Accepted', 'Failed') }, { ocspResult: text(5500) }) },
  // Implementations use different values for failure.
  has2be: {
    write,
    answer: object({ status: oneOf('Accepted', 'Failed', 'Rejected') }, { ocspResult: text(5500) }),
  },
};
