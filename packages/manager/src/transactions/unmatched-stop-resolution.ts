import { idTagInfoOf } from '../authorization/authorize.ts';
import * as tags from '../authorization/tags.store.ts';
import type { Database, Db } from '../database/database.ts';
import { applyStop } from './transaction-stop.ts';
import * as transactions from './transactions.store.ts';
import * as unmatchedStops from './unmatched-stops.store.ts';

/** Why a stop cannot be assigned or dismissed as an operator asks. */
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
 * Ends a transaction by an unmatched stop of its station: with its reading, time, reason and samples. Throws NotResolvable where the stop
 * is assigned already, or the transaction has a stop that names it.
 */
export async function assign(database: Database, assignment: Assignment): Promise<void> {
  const { unmatchedStopId, transactionId, at } = assignment;
  await database.transaction(async (db) => {
    // What was dismissed by mistake can be assigned.
    const { stop, request } = await findStop(db, unmatchedStopId, ['open', 'dismissed']);
    const transaction = await findTransaction(db, stop.stationId, transactionId);
    const idTagInfo = stop.idTag === null ? undefined : idTagInfoOf(await tags.find(db, stop.idTag), at);
    await applyStop(db, { stop, request, transaction, idTagInfo, knownBy: 'stopAssigned' });
    await unmatchedStops.assign(db, assignment);
  });
}

/** Notes that an unmatched stop belongs to no transaction. Throws NotResolvable where it is assigned or dismissed already. */
export async function dismiss(database: Database, resolution: unmatchedStops.Resolution): Promise<void> {
  await database.transaction(async (db) => {
    await findStop(db, resolution.unmatchedStopId, ['open']);
    await unmatchedStops.dismiss(db, resolution);
  });
}

/** What an operator is told of an unmatched stop that does not exist. */
export function unknownStop(unmatchedStopId: number): string {
  return `unmatched stop ${unmatchedStopId} is not known; GET /api/v1/unmatched-stops lists those that are`;
}

async function findStop(
  db: Db,
  unmatchedStopId: number,
  states: unmatchedStops.UnmatchedStopState[],
): Promise<unmatchedStops.KeptStop> {
  const kept = await unmatchedStops.findForResolution(db, unmatchedStopId);
  if (!kept) throw new NotResolvable('unknownStop', unknownStop(unmatchedStopId));
  if (!states.includes(kept.state))
    throw new NotResolvable(
      'state',
      `unmatched stop ${unmatchedStopId} is ${kept.state} already; GET /api/v1/unmatched-stops/${unmatchedStopId} shows by whom and why`,
    );
  return kept;
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
      `transactionId: station ${stationId}, which sent the stop, has no transaction ${transactionId}; GET /api/v1/transactions?stationId=${encodeURIComponent(stationId)} lists those that it has`,
    );
  if (transaction.stoppedAt !== null && !transaction.isProvisional)
    throw new NotResolvable(
      'state',
      `transaction ${transactionId} has been ended by a stop with its id; choose another one, or dismiss the stop`,
    );
  return transaction;
}
