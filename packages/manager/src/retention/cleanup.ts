import type { Log } from '@evander/process';
import * as ocspAnswers from '../certificates/ocsp-answers.store.ts';
import type { Database } from '../database/database.ts';
import { createPartitions } from '../database/partitions.ts';
import { cleanUpFiles } from '../files/cleanup.ts';
import type { FileOptions } from '../files/files.ts';
import * as idempotencyKeys from '../http/idempotency-keys.store.ts';
import * as rejected from '../presence/rejected-handshakes.store.ts';
import * as reservations from '../reservations/reservations.store.ts';

const POLL_INTERVAL_MS = 3_600_000;
const MAX_REJECTED_ROWS = 10_000;

/** Starts the recurring cleanup; several managers may run it at the same time. Returns a function that stops it. */
export function startCleanup(
  database: Database,
  options: { files: FileOptions; now(): Date; log: Log },
): () => void {
  const round = async (): Promise<void> => {
    await createPartitions(database, options.now());
    await reservations.expire(database, options.now());
    await ocspAnswers.forgetOld(database, options.now());
    await idempotencyKeys.forgetOld(database, options.now());
    await cleanUpFiles(database, options.files, options.now());
    await rejected.trimTo(database, MAX_REJECTED_ROWS);
  };
  const timer = setInterval(() => {
    round().catch((error: unknown) => options.log.warn({ err: error }, 'cleanup failed'));
  }, POLL_INTERVAL_MS);
  return () => clearInterval(timer);
}
