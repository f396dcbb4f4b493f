import type { Log } from '@evander/process';
import type { Database } from '../database/database.ts';
import type { ManagerMetrics } from '../observability/metrics.ts';
import { Recurring } from '../recurring.ts';
import * as chores from './cleanups.ts';
import { removeOld, RETAINED } from './retention.store.ts';
import type { RetainedData } from './retention.store.ts';

const DAY_MS = 86_400_000;
/** One manager of the fleet does it, once an hour; each asks often, as any may be gone. */
const EVERY_SECONDS = 3600;
const ASK_INTERVAL_MS = 300_000;

export interface RetentionOptions {
  database: Database;
  /** For how many days each kind of data is kept; 0 forever. */
  days: Record<RetainedData, number>;
  metrics: Pick<ManagerMetrics, 'countRemoved' | 'noteRetention'>;
  now(): Date;
  log: Log;
}

/** Starts the removal of what is too old, by one manager of the fleet. */
export function startRetention(options: RetentionOptions): Recurring {
  const { database, log } = options;
  const retention = new Recurring({
    what: 'retention',
    everyMs: ASK_INTERVAL_MS,
    work: async () => {
      if (await chores.begin(database, 'retention', EVERY_SECONDS)) await retain(options);
    },
    log,
  });
  retention.start();
  return retention;
}

/** Removes what is too old of all data. What cannot be removed of one kind is no reason to leave the others; it throws at the end. */
export async function retain({ database, days, metrics, now, log }: RetentionOptions): Promise<void> {
  const startedMs = performance.now();
  const faults: unknown[] = [];
  for (const kind of RETAINED) {
    if (days[kind] === 0) continue;
    const before = new Date(now().getTime() - days[kind] * DAY_MS);
    try {
      for (const removal of await removeOld(database, kind, before)) {
        const { table, partitions, rows } = removal;
        metrics.countRemoved(table, { partitions, rows });
        if (partitions + rows > 0) log.info({ ...removal, before }, 'what was too old was removed');
      }
    } catch (error) {
      faults.push(error);
    }
  }
  if (faults.length > 0) throw new AggregateError(faults, 'not everything that is too old could be removed');
  metrics.noteRetention(now());
  log.info({ seconds: Math.round((performance.now() - startedMs) / 1000) }, 'retention is done');
}
