import { isSigningRequest } from '../../pem.ts';
import * as certificateRequests from '../../store/certificate-requests.ts';
import type { Message } from '../message.ts';

/** What a frame may hold instead of a request need not be kept to the end; OCPP has 5500 at most. */
const MAX_LENGTH = 20_000;

/** Answers at once; the certificate follows by CertificateSigned, never before the answer (SignCert.1). */
export const signCertificate: Message<'SignCertificate'> = {
  async handle({ csr }, { stationId, messageId, receivedAt, database }) {
    const canBeSigned = csr.length <= MAX_LENGTH && isSigningRequest(csr);
    await certificateRequests.add(database, {
      stationId,
      messageId,
      csr: csr.slice(0, MAX_LENGTH),
      state: canBeSigned ? 'requested' : 'rejected',
      reason: canBeSigned ? null : 'the csr is no PKCS#10 request in PEM',
      requestedAt: receivedAt,
    });
    return { status: canBeSigned ? 'Accepted' : 'Rejected' };
  },
};
