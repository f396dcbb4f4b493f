import type { StopTransactionRequest } from '@evander/ocpp';
import type { IdTagInfo } from '../authorization/authorize.ts';
import type { Db } from '../database/database.ts';
import { readStationTime } from '../stations/station-clock.ts';
import { isByOtherTag } from './inferred-transaction.ts';
import * as messagesWithoutId from './messages-without-id.store.ts';
import * as meterValues from './meter-values.store.ts';
import type { Sample } from './meter-values.store.ts';
import * as registerReadings from './register-readings.store.ts';
import { samplesOf } from './samples.ts';
import * as transactionProfilesStore from './transaction-profiles.store.ts';
import type { TransactionFlag } from './transaction-state.store.ts';
import * as transactions from './transactions.store.ts';
import * as unmatchedStops from './unmatched-stops.store.ts';

/** A stop and its transaction, determined by its id, by inference or by an operator. */
export interface TransactionStop {
  stop: transactions.Stop;
  request: StopTransactionRequest;
  transaction: transactions.StoppableTransaction;
  idTagInfo: IdTagInfo | undefined;
  knownBy: 'id' | 'stopInferred' | 'stopAssigned';
}

/**
 * Ends a transaction by a stop: stores the stop's samples and removes the TxProfiles. If a stop without the id had ended it before, that one
 * becomes unmatched, unless this is the same stop with the id.
 */
export async function applyStop(db: Db, transactionStop: TransactionStop): Promise<void> {
  const { stop, request, transaction, idTagInfo, knownBy } = transactionStop;
  const { stationId } = stop;
  const { transactionId } = transaction;
  const isConfirmed = knownBy === 'id' && isSameStop(stop, transaction);
  if (transaction.isProvisional && !isConfirmed) await releaseStop(db, stationId, transaction);
  await transactionProfilesStore.removeOfTransaction(db, stationId, transactionId);
  await recordSamples(db, transactionStop);
  const flags: TransactionFlag[] = flagsOf(stop, transaction, idTagInfo);
  if (!readStationTime(request.timestamp, stop.receivedAt).isPlausible) flags.push('clockImplausible');
  if (knownBy !== 'id') flags.push(knownBy);
  const inferredFrom = knownBy === 'stopInferred' ? request : null;
  await transactions.end(db, { transactionId, stop, idTagInfo, flags, inferredFrom });
}

/** Stores the samples of a stop. */
export async function recordSamples(db: Db, transactionStop: TransactionStop): Promise<void> {
  const samples = samplesOfStop(transactionStop);
  await meterValues.record(db, samples);
  await registerReadings.record(db, samples);
}

function samplesOfStop({
  stop,
  request,
  transaction,
  knownBy,
}: Omit<TransactionStop, 'idTagInfo'>): Sample[] {
  const { stationId, receivedAt } = stop;
  const { connectorId, transactionId } = transaction;
  const transactionInferred = knownBy !== 'id';
  const origin = { stationId, connectorId, transactionId, transactionInferred, receivedAt };
  return samplesOf(request.transactionData ?? [], origin);
}

/** Is it a resend of the stop that ended the transaction? */
export function isSameStop(
  stop: transactions.Stop,
  { stoppedAt, meterStopWh }: transactions.StoppableTransaction,
): boolean {
  return stoppedAt?.getTime() === stop.stoppedAt.getTime() && meterStopWh === stop.meterStopWh;
}

// The released stop's samples do not belong to the transaction either; they stay in the unmatched stop's request.
async function releaseStop(
  db: Db,
  stationId: string,
  transaction: transactions.StoppableTransaction,
): Promise<void> {
  const { transactionId } = transaction;
  const inferred = await messagesWithoutId.findInferredStop(db, transactionId);
  if (inferred) await unmatchedStops.record(db, { ...inferred, why: 'alreadyStopped' });
  const released = inferred ?? (await unmatchedStops.reopen(db, transactionId));
  if (!released) return;
  const samples = samplesOfStop({ ...released, transaction, knownBy: 'stopInferred' });
  if ((await meterValues.remove(db, samples)) === 0) return;
  const others = await meterValues.ofTransaction(db, { stationId, transactionId });
  await registerReadings.replace(db, transactionId, others);
}

function flagsOf(
  stop: transactions.Stop,
  transaction: transactions.StoppableTransaction,
  idTagInfo: IdTagInfo | undefined,
): TransactionFlag[] {
  const flags: TransactionFlag[] = [];
  if (stop.meterStopWh < transaction.meterStartWh) flags.push('meterStopBelowStart');
  if (stop.stoppedAt < transaction.startedAt) flags.push('stopBeforeStart');
  if (isByOtherTag(stop, transaction, idTagInfo)) flags.push('stoppedByOtherTag');
  return flags;
}
