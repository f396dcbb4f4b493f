import { samplesOf } from '../../samples.ts';
import * as transactions from '../../store/transactions.ts';
import type { Context, Message } from '../message.ts';

export const meterValues: Message<'MeterValues'> = {
  beforeAcceptance: true,
  async handle({ connectorId, transactionId, meterValue }, context) {
    const { stationId, receivedAt, writer } = context;
    const transaction = await transactionOf(transactionId, connectorId, context);
    await writer.meterValues.add(
      samplesOf(meterValue, { stationId, connectorId, receivedAt, transactionId: transaction }),
    );
    return {};
  },
};

const INT32_MAX = 2 ** 31 - 1;

// -1: the station never learnt the id that its start was given (1.6 errata §3.18). An id that names nothing is kept as sent.
async function transactionOf(
  sent: number | undefined,
  connectorId: number,
  context: Context,
): Promise<number | null> {
  if (sent === undefined || Math.abs(sent) > INT32_MAX) return null;
  if (sent !== -1) return sent;
  const { database, stationId } = context;
  return (await transactions.findOpen(database, { stationId, connectorId }))?.transactionId ?? null;
}
