import type { Log } from '@evander/process';
import * as issuedCertificates from '../certificates/issued-certificates.store.ts';
import type { Database } from '../database/database.ts';
import { Recurring } from '../recurring.ts';
import * as reconciliations from './reconciliations.store.ts';

const DAY_MS = 86_400_000;
const RENEW_INTERVAL_MS = 3_600_000;

export interface RenewalOptions {
  database: Database;
  /** The operator, as O of certificates. */
  organisation: string;
  /** How many days before it expires a certificate is renewed. */
  renewDays: number;
  now(): Date;
  log: Log;
}

/** Renews station certificates that expire soon. Several managers may do so concurrently. */
export function startCertificateRenewal(options: RenewalOptions): Recurring {
  const renewal = new Recurring({
    what: 'renewing certificates',
    everyMs: RENEW_INTERVAL_MS,
    work: () => renew(options),
    log: options.log,
  });
  renewal.start();
  return renewal;
}

async function renew({ database, now, renewDays, organisation }: RenewalOptions): Promise<void> {
  const at = now();
  const before = new Date(at.getTime() + renewDays * DAY_MS);
  for (const stationId of await issuedCertificates.expiring(database, at, before))
    await reconciliations.put(database, {
      stationId,
      kind: 'stationCertificate',
      desired: { organisation },
      permanent: false,
      requestedBy: null,
      at,
    });
}
