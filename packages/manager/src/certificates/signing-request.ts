import { Certificate, CertificateError, faultsOf, readSigningRequest } from '@evander/pki';
import type { IssueOptions } from '@evander/pki';
import type { Db } from '../database/database.ts';
import * as stations from '../stations/stations.store.ts';
import * as issuedCertificates from './issued-certificates.store.ts';

/** What a frame may hold instead of a request need not be kept to the end; OCPP has 5500 at most. */
export const MAX_CSR_LENGTH = 20_000;
/** By its DC a vehicle knows what a certificate is for (ISO 15118-2, annex F); with another a station could pass for a provisioning service. */
const SECC_ROLE = 'CPO';

/**
 * What speaks against signing a request of a station, each fault with its cure; none when it may be signed, by whichever authority. Every
 * name in it must be one that an operator registered for this station, and for no other.
 */
export async function requestFaults(
  db: Db,
  { stationId, csr, usage }: { stationId: string; csr: string; usage: 'station' | 'v2g' },
): Promise<string[]> {
  if (csr.length > MAX_CSR_LENGTH)
    return [`the csr has ${csr.length} characters, more than any PKCS#10 request in OCPP (5500)`];
  const names = await stations.registeredNames(db, stationId);
  try {
    const request = readSigningRequest(csr);
    const faults = await faultsOf(request, { names });
    const roles = request.request.subjectName.getField('DC');
    if (usage === 'v2g' && roles.some((role) => role !== SECC_ROLE))
      faults.push(`the csr has a DC that is not ${SECC_ROLE}, the role of a charging station`);
    if (request.identifiers.some((name) => !names.includes(name)))
      faults.push(`more names can be registered as serialNumbers, with PUT /api/v1/stations/${stationId}`);
    const compromised = await issuedCertificates.compromised(db, stationId);
    if (compromised.some((pem) => Certificate.parse(pem).key.equals(request.key)))
      faults.push(
        'the csr has a key whose certificate was revoked as keyCompromise: the station must make a new one',
      );
    const other = await stations.otherNamed(db, stationId, request.identifiers);
    if (other !== undefined) faults.push(`a name in the csr belongs to station ${other}`);
    return faults;
  } catch (error) {
    if (error instanceof CertificateError) return [error.message];
    throw error;
  }
}

/** The subject of the certificate for a request that was checked: the station's common name, and for the rest what the operator is. */
export function subjectFor(
  csr: string,
  { organisation, usage }: { organisation: string; usage: 'station' | 'v2g' },
): IssueOptions['subject'] {
  const { CN } = readSigningRequest(csr).subject;
  return { ...(CN !== undefined && { CN }), O: organisation, ...(usage === 'v2g' && { DC: SECC_ROLE }) };
}
