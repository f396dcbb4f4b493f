import { readFile } from 'node:fs/promises';
import { outbound } from '../outbound.ts';
import type { Database } from '../store/db.ts';
import { CertificateAuthority, readSigningRequest } from '../x509/authority.ts';
import { ContractCheck } from './contract-check.ts';
import { contractPool } from './contract-pool.ts';
import type { PncOptions } from './options.ts';
import type { PncServices } from './plug-and-charge.ts';
import { Responders } from './responders.ts';

/** A station has long asked for another by then; the certificates of stations are meant to be short-lived. */
const V2G_DAYS = 90;

/** Makes ready what Plug & Charge works with. Rejects when a file of the settings cannot be read or used. */
export async function openPnc(
  { allowPrivate = false, v2gCaFile, contractPool: pool, has2beFailure = 'Failed' }: PncOptions,
  { database, now }: { database: Database; now(): Date },
): Promise<PncServices> {
  const responders = new Responders({ database, now, request: outbound({ allowPrivate }) });
  const contracts = new ContractCheck({ database, now, responders });
  const authority = v2gCaFile === undefined ? undefined : await openAuthority(v2gCaFile);
  return {
    checkContract: (evidence) => contracts.check(evidence),
    ocspResponse: async (data) => (await responders.ask(data, await contracts.issuerFor(data))).response,
    contractCertificates: pool && contractPool(pool, now),
    issueV2g:
      authority &&
      (async (csr) => authority.issueFromRequest(readSigningRequest(csr), { days: V2G_DAYS, now: now() })),
    has2beFailure,
  };
}

async function openAuthority(file: string): Promise<CertificateAuthority> {
  try {
    return new CertificateAuthority(await readFile(file, 'utf8'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`EVANDER_V2G_CA_FILE ${file} cannot be used: ${reason}`, { cause: error });
  }
}
