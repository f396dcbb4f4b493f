import { silentLog } from '@evander/process';
import { RETAINED } from '../../src/retention/retention.store.ts';
import type { RetainedData } from '../../src/retention/retention.store.ts';
import { retain } from '../../src/retention/retention.ts';
import type { TestManager } from '../test-manager.ts';

/** Removes data older than the given number of days, only of the given kinds. */
export async function runRetention(
  manager: TestManager,
  days: Partial<Record<RetainedData, number>>,
): Promise<void> {
  const none = Object.fromEntries(RETAINED.map((kind) => [kind, 0])) as Record<RetainedData, number>;
  const { database, metrics, now } = manager;
  await retain({ database, metrics, days: { ...none, ...days }, now, log: silentLog() });
}
