import * as certificateRequests from '../../certificates/certificate-requests.store.ts';
import { MAX_CSR_LENGTH, requestFaults } from '../../certificates/signing-request.ts';
import type { Message } from '../message.ts';

/** Answers immediately; the certificate follows with CertificateSigned, never before the answer (SignCert.1). */
export const signCertificate: Message<'SignCertificate'> = {
  async handle({ csr }, context) {
    const { stationId, messageId, receivedAt, database, log } = context;
    const faults = await requestFaults(database, { stationId, csr, usage: 'station' });
    if (faults.length > 0) log.warn({ faults }, 'a certificate request was rejected');
    await certificateRequests.add(database, {
      stationId,
      messageId,
      csr: csr.slice(0, MAX_CSR_LENGTH),
      state: faults.length === 0 ? 'requested' : 'rejected',
      reason: faults.length === 0 ? null : faults.join('; '),
      requestedAt: receivedAt,
    });
    return { status: faults.length === 0 ? 'Accepted' : 'Rejected' };
  },
};
