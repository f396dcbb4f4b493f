import type { Log } from '@evander/process';
import type { FileOptions } from './files/files.ts';
import { tidyFiles } from './files/tidy.ts';
import type { Database } from './store/db.ts';
import * as idempotencyKeys from './store/idempotency-keys.ts';
import * as ocspAnswers from './store/ocsp-answers.ts';
import { createPartitions } from './store/partitions.ts';
import * as reservations from './store/reservations.ts';
import * as turnedAway from './store/turned-away.ts';

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
