import { CertificateError, readSigningRequest } from '@evander/pki';
import * as pncCertificateRequests from '../../store/pnc-certificate-requests.ts';
import type { PncMessage } from './tunnel.ts';

/** What a frame may hold instead of a request need not be kept to the end; the application note has 5500 at most. */
const MAX_LENGTH = 20_000;

/** Answers at once; the V2G certificate follows by CertificateSigned, never before the answer (PnC.10). */
export const signCertificate: PncMessage<'SignCertificate'> = {
  async handle(
    { csr, certificateType = 'V2GCertificate' },
    { stationId, messageId, dialect, receivedAt, database, pnc, afterAnswer },
  ) {
    const fault = await faultOf(csr, certificateType);
    await pncCertificateRequests.add(database, {
      stationId,
      messageId,
      dialect,
      csr: csr.slice(0, MAX_LENGTH),
      state: fault === null ? 'requested' : 'rejected',
      reason: fault,
      requestedAt: receivedAt,
    });
    if (fault !== null) return { status: 'Rejected' };
    afterAnswer(() => pnc.signWaiting(stationId));
    return { status: 'Accepted' };
  },
};

async function faultOf(csr: string, certificateType: string): Promise<string | null> {
  if (certificateType !== 'V2GCertificate')
    return `${certificateType} is not for the tunnel; the station must ask for it with the SignCertificate of the security extension`;
  if (csr.length > MAX_LENGTH) return `the csr is longer than ${MAX_LENGTH} characters`;
  try {
    return (await readSigningRequest(csr).verify()) ? null : 'the csr is not signed with its own key';
  } catch (error) {
    if (error instanceof CertificateError) return error.message;
    throw error;
  }
}
