import { INT32_MAX } from '@evander/ocpp';
import * as messagesWithoutId from '../../transactions/messages-without-id.store.ts';
import { samplesOf } from '../../transactions/samples.ts';
import type { Context, Message } from '../message.ts';

export const meterValues: Message<'MeterValues'> = {
  beforeAcceptance: true,
  async handle({ connectorId, transactionId, meterValue }, context) {
    const { stationId, receivedAt, writer } = context;
    const transaction = await transactionOf(transactionId, connectorId, context);
    await writer.meterValues.add(
      samplesOf(meterValue, { stationId, connectorId, receivedAt, ...transaction }),
    );
    return {};
  },
};

interface TransactionOfSamples {
  transactionId: number | null;
  transactionInferred: boolean;
}

// No id (-1, 0 or another negative number): the station never received the id of its transaction (1.6 errata §3.18). An unknown id is
// stored as sent.
async function transactionOf(
  sent: number | undefined,
  connectorId: number,
  { database, stationId }: Context,
): Promise<TransactionOfSamples> {
  if (sent === undefined || sent > INT32_MAX) return { transactionId: null, transactionInferred: false };
  if (sent > 0) return { transactionId: sent, transactionInferred: false };
  const transactionId = await messagesWithoutId.findUnlearnt(database, { stationId, connectorId });
  return { transactionId, transactionInferred: true };
}
