import { ACCEPTED_OR_REJECTED } from '../fields.ts';
import type { PncMessage } from '../message.ts';

/** A certificate for cars or, in Has2Be, for the manager. */
export type SigningUse = 'V2GCertificate' | 'ChargingStationCertificate';
export type SignCertificateRequest = { csr: string; type: SigningUse };
export type SignCertificateAnswer = { status: 'Accepted' | 'Rejected' };

/** PNC §3.1: requests the certificate for cars; in Has2Be also the one for the manager. */
export const signCertificate: PncMessage<SignCertificateRequest, SignCertificateAnswer> = {
  messageId: 'SignCertificate',
  oca: { write: ({ csr }) => ({ csr }), answer: ACCEPTED_OR_REJECTED },
  has2be: {
    write: ({ csr, type }) => ({ csr, typeOfCertificate: type }),
    answer: ACCEPTED_OR_REJECTED,
  },
};
