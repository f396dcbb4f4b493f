import type { Log } from '@evander/process';
import type { Database } from '../database/database.ts';
import type { ManagerMetrics } from '../observability/metrics.ts';
import { Recurring } from '../recurring.ts';
import * as cleanups from './cleanups.ts';
import { removeOld, RETAINED } from './retention.store.ts';
import type { RetainedData } from './retention.store.ts';

const DAY_MS = 86_400_000;
/** One manager runs it, once an hour; each manager checks often, because any of them may stop. */
const EVERY_SECONDS = 3600;
const POLL_INTERVAL_MS = 300_000;

export interface RetentionOptions {
  database: Database;
  /** Days to keep each kind of data; 0 = forever. */
  days: Record<RetainedData, number>;
  metrics: Pick<ManagerMetrics, 'countRemoved' | 'noteRetention'>;
  now(): Date;
  log: Log;
}

/** Starts the recurring removal of old data, by one manager at a time. */
export function startRetention(options: RetentionOptions): Recurring {
  const { database, log } = options;
  const retention = new Recurring({
    what: 'retention',
    everyMs: POLL_INTERVAL_MS,
    work: async () => {
      if (await cleanups.begin(database, 'retention', EVERY_SECONDS)) await retain(options);
    },
    log,
  });
  retention.start();
  return retention;
}

/** Removes old data of all kinds. Continues with the other kinds after a failure, and throws AggregateError at the end. */
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
        if (partitions + rows > 0) log.info({ ...removal, before }, 'old data removed');
      }
    } catch (error) {
      faults.push(error);
    }
  }
  if (faults.length > 0) throw new AggregateError(faults, 'some old data could not be removed');
  metrics.noteRetention(now());
  log.info({ seconds: Math.round((performance.now() - startedMs) / 1000) }, 'retention finished');
}
