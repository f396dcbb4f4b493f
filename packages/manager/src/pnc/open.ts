import type { Log } from '@evander/process';
import type { Database } from '../store/db.ts';
import { contractPool } from './contract-pool.ts';
import type { PncOptions } from './options.ts';
import type { PncServices } from './plug-and-charge.ts';

/** Makes ready what Plug & Charge works with. Rejects when a file of the settings cannot be read or used. */
export async function openPnc(
  { contractPool: pool, has2beFailure = 'Failed' }: PncOptions,
  { now }: { database: Database; now(): Date; log: Log },
): Promise<PncServices> {
  return {
    checkContract: async ({ certificate, hashData }) =>
      certificate === undefined && hashData.length === 0
        ? undefined
        : { status: 'NoCertificateAvailable', reason: 'contract certificates are not checked yet' },
    ocspResponse: async () => {
      throw new Error('responders are not asked yet');
    },
    contractCertificates: pool && contractPool(pool, now),
    issueV2g: undefined,
    has2beFailure,
  };
}
