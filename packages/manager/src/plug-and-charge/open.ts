import type { Authority } from '../certificates/authority.ts';
import type { Responders } from '../certificates/responders.ts';
import type { Database } from '../database/database.ts';
import { ContractCheck } from './contract-check.ts';
import { contractPool } from './contract-pool.ts';
import type { PncOptions } from './options.ts';
import type { IssueV2g, PncServices } from './plug-and-charge.ts';
import { v2gAuthorityOf, withoutRoot } from './v2g-authority.ts';

export interface PncContext {
  database: Database;
  responders: Responders;
  /** The operator's name, used as O in certificates. */
  organisation: string;
  /** Evander's own authority, which signs V2G certificates unless `v2gCaFile` is set; undefined if operators provide them. */
  authority?: Pick<Authority, 'issueForStation'>;
  now(): Date;
}

/** Opens the services of Plug & Charge. Rejects when a configured file cannot be read or used. */
export async function openPnc(
  { v2gCaFile, contractPool: pool, has2beFailure = 'Failed' }: PncOptions,
  { database, responders, organisation, authority, now }: PncContext,
): Promise<PncServices> {
  const contracts = new ContractCheck({ database, now, responders });
  const own: IssueV2g | undefined =
    authority &&
    (async (stationId, csr) => withoutRoot(await authority.issueForStation(stationId, csr, 'v2g')));
  return {
    checkContract: (evidence) => contracts.check(evidence),
    ocspResponse: async (data) => (await responders.ask(data, await contracts.issuerFor(data))).response,
    contractCertificates: pool && contractPool(pool, now),
    issueV2g: v2gCaFile === undefined ? own : await v2gAuthorityOf(v2gCaFile, organisation),
    has2beFailure,
  };
}
