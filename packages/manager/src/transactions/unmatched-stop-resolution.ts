import { idTagInfoOf } from '../authorization/authorize.ts';
import * as tags from '../authorization/tags.store.ts';
import type { Database, Db } from '../database/database.ts';
import { applyStop } from './transaction-stop.ts';
import * as transactions from './transactions.store.ts';
import * as unmatchedStops from './unmatched-stops.store.ts';

/** A stop cannot be assigned or dismissed as requested. */
export class NotResolvable extends Error {
  override name = 'NotResolvable';
  readonly why: 'unknownStop' | 'unknownTransaction' | 'state';

  constructor(why: NotResolvable['why'], message: string) {
    super(message);
    this.why = why;
  }
}

export interface Assignment extends unmatchedStops.Resolution {
  transactionId: number;
}

/**
 * Ends a transaction by an unmatched stop of its station, with the stop's reading, time, reason and samples. Throws NotResolvable when the
 * stop is already assigned, or a stop with its id has ended the transaction.
 */
export async function assign(database: Database, assignment: Assignment): Promise<void> {
  const { unmatchedStopId, transactionId, at } = assignment;
  await database.transaction(async (db) => {
    // A stop that was dismissed by mistake can be assigned.
    const { stop, request } = await findStop(db, unmatchedStopId, ['open', 'dismissed']);
    const transaction = await findTransaction(db, stop.stationId, transactionId);
    const idTagInfo = stop.idTag === null ? undefined : idTagInfoOf(await tags.find(db, stop.idTag), at);
    await applyStop(db, { stop, request, transaction, idTagInfo, knownBy: 'stopAssigned' });
    await unmatchedStops.assign(db, assignment);
  });
}

/** Records that an unmatched stop belongs to no transaction. Throws NotResolvable when it is already assigned or dismissed. */
export async function dismiss(database: Database, resolution: unmatchedStops.Resolution): Promise<void> {
  await database.transaction(async (db) => {
    await findStop(db, resolution.unmatchedStopId, ['open']);
    await unmatchedStops.dismiss(db, resolution);
  });
}

/** The message for an unknown unmatched stop. */
export function unknownStop(unmatchedStopId: number): string {
  return `unmatched stop ${unmatchedStopId} is not known; GET /api/v1/unmatched-stops lists the known ones`;
}

async function findStop(
  db: Db,
  unmatchedStopId: number,
  states: unmatchedStops.UnmatchedStopState[],
): Promise<unmatchedStops.StoredStop> {
  const stored = await unmatchedStops.findForResolution(db, unmatchedStopId);
  if (!stored) throw new NotResolvable('unknownStop', unknownStop(unmatchedStopId));
  if (!states.includes(stored.state))
    throw new NotResolvable(
      'state',
      `unmatched stop ${unmatchedStopId} is already ${stored.state}; GET /api/v1/unmatched-stops/${unmatchedStopId} shows by whom and why`,
    );
  return stored;
}

async function findTransaction(
  db: Db,
  stationId: string,
  transactionId: number,
): Promise<transactions.StoppableTransaction> {
  const transaction = await transactions.findForStop(db, { stationId, transactionId });
  if (!transaction)
    throw new NotResolvable(
      'unknownTransaction',
      `transactionId: station ${stationId}, which sent the stop, has no transaction ${transactionId}; GET /api/v1/transactions?stationId=${encodeURIComponent(stationId)} lists its transactions`,
    );
  if (transaction.stoppedAt !== null && !transaction.isProvisional)
    throw new NotResolvable(
      'state',
      `a stop with its id has ended transaction ${transactionId}; choose another transaction, or dismiss the stop`,
    );
  return transaction;
}
