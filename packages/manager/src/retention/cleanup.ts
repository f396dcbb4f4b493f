import type { Log } from '@evander/process';
import * as ocspAnswers from '../certificates/ocsp-answers.store.ts';
import type { Database } from '../database/database.ts';
import { createPartitions } from '../database/partitions.ts';
import { tidyFiles } from '../files/cleanup.ts';
import type { FileOptions } from '../files/files.ts';
import * as idempotencyKeys from '../http/idempotency-keys.store.ts';
import * as turnedAway from '../presence/rejected-handshakes.store.ts';
import * as reservations from '../reservations/reservations.store.ts';

const EVERY_MS = 3_600_000;
const TURNED_AWAY_ROWS = 10_000;

/** Starts the work that recurs; each round is safe to be done by several managers. Returns how to stop it. */
export function startHousekeeping(
  database: Database,
  options: { files: FileOptions; now(): Date; log: Log },
): () => void {
  const round = async (): Promise<void> => {
    await createPartitions(database, options.now());
    await reservations.expire(database, options.now());
    await ocspAnswers.forgetOld(database, options.now());
    await idempotencyKeys.forgetOld(database, options.now());
    await tidyFiles(database, options.files, options.now());
    await turnedAway.trimTo(database, TURNED_AWAY_ROWS);
  };
  const timer = setInterval(() => {
    round().catch((error: unknown) => options.log.warn({ err: error }, 'housekeeping failed'));
  }, EVERY_MS);
  return () => clearInterval(timer);
}
