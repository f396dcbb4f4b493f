import { faultsOf, readSigningRequest } from '@evander/pki';
import * as certificateRequests from '../../store/certificate-requests.ts';
import * as stations from '../../store/stations.ts';
import type { Context, Message } from '../message.ts';

/** What a frame may hold instead of a request need not be kept to the end; OCPP has 5500 at most. */
const MAX_LENGTH = 20_000;

/** Answers at once; the certificate follows by CertificateSigned, never before the answer (SignCert.1). */
export const signCertificate: Message<'SignCertificate'> = {
  async handle({ csr }, context) {
    const { stationId, messageId, receivedAt, database, log } = context;
    const faults = await faultsIn(csr, context);
    if (faults.length > 0) log.warn({ faults }, 'a certificate request is refused');
    await certificateRequests.add(database, {
      stationId,
      messageId,
      csr: csr.slice(0, MAX_LENGTH),
      state: faults.length === 0 ? 'requested' : 'rejected',
      reason: faults.length === 0 ? null : faults.join('; '),
      requestedAt: receivedAt,
    });
    return { status: faults.length === 0 ? 'Accepted' : 'Rejected' };
  },
};

async function faultsIn(csr: string, { database, stationId }: Context): Promise<string[]> {
  if (csr.length > MAX_LENGTH)
    return [`the csr has ${csr.length} characters, more than any PKCS#10 request in OCPP (5500)`];
  const commonNames = await stations.certificateNames(database, stationId);
  try {
    return await faultsOf(readSigningRequest(csr), { commonNames });
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}
