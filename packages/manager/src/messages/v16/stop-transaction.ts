import { parseDateTime } from '@evander/ocpp';
import type { StopTransactionRequest, StopTransactionResponse } from '@evander/ocpp';
import { idTagInfoOf } from '../../authorize.ts';
import type { IdTagInfo } from '../../authorize.ts';
import { samplesOf } from '../../samples.ts';
import * as chargingProfiles from '../../store/charging-profiles.ts';
import type { Db } from '../../store/db.ts';
import * as meterValues from '../../store/meter-values.ts';
import * as registerReadings from '../../store/register-readings.ts';
import * as tags from '../../store/tags.ts';
import { tagKey } from '../../store/tags.ts';
import type { TransactionFlag } from '../../store/transaction-state.ts';
import * as transactions from '../../store/transactions.ts';
import * as unmatchedStops from '../../store/unmatched-stops.ts';
import type { Message } from '../message.ts';

export const stopTransaction: Message<'StopTransaction'> = {
  beforeAcceptance: true,
  async handle(request, { stationId, messageId, receivedAt, now, database }) {
    const stop: transactions.Stop = {
      stationId,
      idTag: request.idTag ?? null,
      meterStopWh: request.meterStop,
      stoppedAt: parseDateTime(request.timestamp) ?? receivedAt,
      reason: request.reason ?? 'Local',
      messageId,
      receivedAt,
    };
    return database.transaction(async (db) => {
      const transaction = await findTransaction(db, request.transactionId, stop);
      const endedId = transaction?.transactionId ?? request.transactionId;
      await chargingProfiles.removeOfTransaction(db, stationId, endedId);
      if (transaction) await recordData(db, request, { ...stop, ...transaction });
      const idTagInfo = stop.idTag === null ? undefined : idTagInfoOf(await tags.find(db, stop.idTag), now());
      if (transaction && transaction.stoppedAt === null) {
        const flags = flagsOf(stop, transaction, idTagInfo);
        await transactions.end(db, { transactionId: transaction.transactionId, stop, idTagInfo, flags });
        return answerOf(idTagInfo);
      }
      if (transaction && isRepeat(stop, transaction)) {
        return answerOf(idTagInfo && (transaction.stopIdTagInfo ?? idTagInfo));
      }
      const why = transaction ? 'alreadyStopped' : 'unknownTransaction';
      await unmatchedStops.record(db, { stop, request, why });
      return answerOf(idTagInfo);
    });
  },
};

const INT32_MAX = 2 ** 31 - 1;

async function findTransaction(
  db: Db,
  transactionId: number,
  stop: transactions.Stop,
): Promise<transactions.StoppableTransaction | undefined> {
  if (transactionId === -1) return transactions.findForNamelessStop(db, stop);
  if (transactionId < 1 || transactionId > INT32_MAX) return undefined;
  return transactions.findForStop(db, { stationId: stop.stationId, transactionId });
}

async function recordData(
  db: Db,
  { transactionData }: StopTransactionRequest,
  about: { stationId: string; connectorId: number; transactionId: number; receivedAt: Date },
): Promise<void> {
  const { stationId, connectorId, transactionId, receivedAt } = about;
  const samples = samplesOf(transactionData ?? [], { stationId, connectorId, transactionId, receivedAt });
  await meterValues.record(db, samples);
  await registerReadings.record(db, samples);
}

function flagsOf(
  stop: transactions.Stop,
  transaction: transactions.StoppableTransaction,
  idTagInfo: IdTagInfo | undefined,
): TransactionFlag[] {
  const flags: TransactionFlag[] = [];
  if (stop.meterStopWh < transaction.meterStartWh) flags.push('meterStopBelowStart');
  if (stop.stoppedAt < transaction.startedAt) flags.push('stopBeforeStart');
  const isOtherTag = stop.idTag !== null && tagKey(stop.idTag) !== tagKey(transaction.idTag);
  const { parentIdTag } = transaction;
  const isSameGroup = parentIdTag !== null && tagKey(idTagInfo?.parentIdTag ?? '') === tagKey(parentIdTag);
  if (isOtherTag && !isSameGroup) flags.push('stoppedByOtherTag');
  return flags;
}

function isRepeat(stop: transactions.Stop, transaction: transactions.StoppableTransaction): boolean {
  return (
    transaction.stoppedAt?.getTime() === stop.stoppedAt.getTime() &&
    transaction.meterStopWh === stop.meterStopWh
  );
}

// Without an idTag in the request none is told of (1.6 §4.10).
function answerOf(idTagInfo: IdTagInfo | undefined): StopTransactionResponse {
  return idTagInfo ? { idTagInfo } : {};
}
