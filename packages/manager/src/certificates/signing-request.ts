import { Certificate, CertificateError, faultsOf, readSigningRequest } from '@evander/pki';
import type { IssueOptions } from '@evander/pki';
import type { Db } from '../database/database.ts';
import * as stations from '../stations/stations.store.ts';
import * as issuedCertificates from './issued-certificates.store.ts';

/** In characters; longer content is not stored in full. OCPP allows 5500. */
export const MAX_CSR_LENGTH = 20_000;
/** The DC tells vehicles the role of a certificate (ISO 15118-2, annex F). With another DC a station could impersonate a provisioning service. */
const SECC_ROLE = 'CPO';

/**
 * Faults of a station's signing request, each with a hint; empty if any authority may sign it. Every name in it must be registered for
 * this station, and for no other.
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
      faults.push(`register more names as serialNumbers with PUT /api/v1/stations/${stationId}`);
    const compromised = await issuedCertificates.compromised(db, stationId);
    if (compromised.some((pem) => Certificate.parse(pem).key.equals(request.key)))
      faults.push(
        'the csr uses a key whose certificate was revoked as keyCompromise; the station must generate a new key',
      );
    const other = await stations.otherNamed(db, stationId, request.identifiers);
    if (other !== undefined) faults.push(`a name in the csr belongs to station ${other}`);
    return faults;
  } catch (error) {
    if (error instanceof CertificateError) return [error.message];
    throw error;
  }
}

/** The subject of the certificate for a checked request: the CN from the request, the rest from the operator's settings. */
export function subjectFor(
  csr: string,
  { organisation, usage }: { organisation: string; usage: 'station' | 'v2g' },
): IssueOptions['subject'] {
  const { CN } = readSigningRequest(csr).subject;
  return { ...(CN !== undefined && { CN }), O: organisation, ...(usage === 'v2g' && { DC: SECC_ROLE }) };
}
