import { MAX_CSR_LENGTH, requestFaults } from '../../certificates/signing-request.ts';
import * as pncCertificateRequests from '../certificate-requests.store.ts';
import type { PncContext, PncMessage } from './tunnel.ts';

/** Responds immediately; the V2G certificate follows in a CertificateSigned, never before the response (PnC.10). */
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
    return `${certificateType} cannot be requested through the tunnel; the station must use the SignCertificate of the security extension`;
  const faults = await requestFaults(database, { stationId, csr, usage: 'v2g' });
  return faults.length === 0 ? null : faults.join('; ');
}
