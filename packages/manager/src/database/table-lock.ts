import { setTimeout as delay } from 'node:timers/promises';
import type { Database, Db } from './database.ts';

const LOCK_NOT_AVAILABLE = '55P03';
/** Those who want the table wait behind who waits for its lock: not for long. */
const LOCK_MS = 200;
const RETRY_AFTER_MS = [100, 400, 1600];
/** Work on a whole partition takes its time. */
const STATEMENT_MS = 600_000;

/**
 * Runs work that locks a whole table in one transaction. While somebody uses the table it is tried again, less and less often, and then
 * left to the next round: throws what `isInUse` tells.
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

/** Was a lock not to be had in time? */
export function isInUse(error: unknown): boolean {
  return (error as { code?: unknown }).code === LOCK_NOT_AVAILABLE;
}
