import { setTimeout as delay } from 'node:timers/promises';
import type { Database, Db } from './database.ts';

const LOCK_NOT_AVAILABLE = '55P03';
/** Short, because others queue behind a transaction that waits for a table lock. */
const LOCK_MS = 200;
const RETRY_AFTER_MS = [100, 400, 1600];
/** Long, for work on whole partitions. */
const STATEMENT_MS = 600_000;

/**
 * Runs work that locks a whole table, in one transaction. While the table is in use, it retries with growing delays, then throws an error
 * for which `isInUse` is true.
 */
export async function whileTableIsFree<T>(database: Database, work: (db: Db) => Promise<T>): Promise<T> {
  for (const ms of RETRY_AFTER_MS) {
    try {
      return await attempt(database, work);
    } catch (error) {
      if (!isInUse(error)) throw error;
      await delay(ms);
    }
  }
  return attempt(database, work);
}

function attempt<T>(database: Database, work: (db: Db) => Promise<T>): Promise<T> {
  return database.transaction(work, { lockMs: LOCK_MS, statementMs: STATEMENT_MS });
}

/** Whether an error means that a lock could not be obtained in time. */
export function isInUse(error: unknown): boolean {
  return (error as { code?: unknown }).code === LOCK_NOT_AVAILABLE;
}
