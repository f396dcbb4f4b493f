import { MAX_CSR_LENGTH, requestFaults } from '../../certificates/signing-request.ts';
import * as pncCertificateRequests from '../certificate-requests.store.ts';
import type { PncContext, PncMessage } from './tunnel.ts';

/** Answers at once; the V2G certificate follows by CertificateSigned, never before the answer (PnC.10). */
export const signCertificate: PncMessage<'SignCertificate'> = {
  async handle({ csr, certificateType = 'V2GCertificate' }, context) {
    const { stationId, messageId, dialect, receivedAt, database, pnc, afterAnswer } = context;
    const fault = await faultOf(csr, certificateType, context);
    await pncCertificateRequests.add(database, {
      stationId,
      messageId,
      dialect,
      csr: csr.slice(0, MAX_CSR_LENGTH),
      state: fault === null ? 'requested' : 'rejected',
      reason: fault,
      requestedAt: receivedAt,
    });
    if (fault !== null) return { status: 'Rejected' };
    afterAnswer(() => pnc.signWaiting(stationId));
    return { status: 'Accepted' };
  },
};

async function faultOf(
  csr: string,
  certificateType: string,
  { database, stationId }: PncContext,
): Promise<string | null> {
  if (certificateType !== 'V2GCertificate')
    return `${certificateType} is not for the tunnel; the station must ask for it with the SignCertificate of the security extension`;
  const faults = await requestFaults(database, { stationId, csr, usage: 'v2g' });
  return faults.length === 0 ? null : faults.join('; ');
}
