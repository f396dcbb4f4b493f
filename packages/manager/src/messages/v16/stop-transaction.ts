import { INT32_MAX } from '@evander/ocpp';
import type { StopTransactionRequest, StopTransactionResponse } from '@evander/ocpp';
import { idTagInfoOf } from '../../authorization/authorize.ts';
import type { IdTagInfo } from '../../authorization/authorize.ts';
import * as tags from '../../authorization/tags.store.ts';
import type { Db } from '../../database/database.ts';
import { readStationTime } from '../../stations/station-clock.ts';
import { inferTransaction } from '../../transactions/inferred-transaction.ts';
import * as messagesWithoutId from '../../transactions/messages-without-id.store.ts';
import * as transactionProfilesStore from '../../transactions/transaction-profiles.store.ts';
import { applyStop, isSameStop, recordSamples } from '../../transactions/transaction-stop.ts';
import * as transactions from '../../transactions/transactions.store.ts';
import * as unmatchedStops from '../../transactions/unmatched-stops.store.ts';
import type { Message } from '../message.ts';

export const stopTransaction: Message<'StopTransaction'> = {
  beforeAcceptance: true,
  async handle(request, { stationId, messageId, receivedAt, now, database }) {
    const time = readStationTime(request.timestamp, receivedAt);
    const stop: transactions.Stop = {
      stationId,
      idTag: request.idTag ?? null,
      meterStopWh: request.meterStop,
      stoppedAt: time.at,
      reason: request.reason ?? 'Local',
      messageId,
      receivedAt,
    };
    return database.transaction(async (db) => {
      if (time.unreadable !== null)
        stop.stoppedAt = (await transactions.findStopTime(db, stationId, request)) ?? receivedAt;
      const idTagInfo = stop.idTag === null ? undefined : idTagInfoOf(await tags.find(db, stop.idTag), now());
      const call = { stop, request, idTagInfo };
      // Some stations send 0 or another negative number instead of -1.
      return answerOf(request.transactionId > 0 ? await stopById(db, call) : await stopWithoutId(db, call));
    });
  },
};

interface StopCall {
  stop: transactions.Stop;
  request: StopTransactionRequest;
  idTagInfo: IdTagInfo | undefined;
}

/** Applies a stop by its id; returns the idTagInfo for the answer. */
async function stopById(db: Db, call: StopCall): Promise<IdTagInfo | undefined> {
  const { stop, request, idTagInfo } = call;
  const { stationId } = stop;
  const { transactionId } = request;
  const transaction =
    transactionId <= INT32_MAX ? await transactions.findForStop(db, { stationId, transactionId }) : undefined;
  if (!transaction) {
    await transactionProfilesStore.removeOfTransaction(db, stationId, transactionId);
    return recordUnmatched(db, call, 'unknownTransaction');
  }
  if (transaction.stoppedAt === null || transaction.isProvisional) {
    await applyStop(db, { ...call, transaction, knownBy: 'id' });
    return idTagInfo;
  }
  await recordSamples(db, { ...call, transaction, knownBy: 'id' });
  if (isSameStop(stop, transaction)) return idTagInfo && (transaction.stopIdTagInfo ?? idTagInfo);
  return recordUnmatched(db, call, 'alreadyStopped');
}

/** Applies a stop to an inferred transaction; returns the idTagInfo for the answer. */
async function stopWithoutId(db: Db, call: StopCall): Promise<IdTagInfo | undefined> {
  const { stop, request, idTagInfo } = call;
  await unmatchedStops.lock(db, stop.stationId);
  const known = await unmatchedStops.find(db, stop, request.transactionId);
  if (known) return known.idTagInfo ?? idTagInfo;
  const same = await messagesWithoutId.findSameStop(db, stop);
  if (same?.isInferred) return same.idTagInfo ?? idTagInfo;
  if (same) return recordUnmatched(db, call, 'alreadyStopped');
  const open = await messagesWithoutId.findOpenForStop(db, stop.stationId);
  const transaction = inferTransaction(stop, open, idTagInfo);
  if (typeof transaction === 'string') return recordUnmatched(db, call, transaction);
  await applyStop(db, { ...call, transaction, knownBy: 'stopInferred' });
  return idTagInfo;
}

async function recordUnmatched(
  db: Db,
  { stop, request, idTagInfo }: StopCall,
  why: unmatchedStops.Mismatch,
): Promise<IdTagInfo | undefined> {
  await unmatchedStops.record(db, { stop, request, idTagInfo: idTagInfo ?? null, why });
  return idTagInfo;
}

// No idTagInfo without an idTag in the request (1.6 §4.10).
function answerOf(idTagInfo: IdTagInfo | undefined): StopTransactionResponse {
  return idTagInfo ? { idTagInfo } : {};
}
