import { Type } from '@fastify/type-provider-typebox';
import * as store from '../store/transaction-list.ts';
import { nullable, readTime, Time, TimeText } from './fields.ts';
import { listQuery, page, pageOf, readCursor } from './paging.ts';
import { Problem } from './problem.ts';
import type { ApiContext, App } from './route.ts';

const Int32 = { minimum: 0, maximum: 2 ** 31 - 1 };
const Text = nullable(Type.String());
const Wh = nullable(Type.Integer());
const Transaction = Type.Object({
  transactionId: Type.Integer(),
  stationId: Type.String(),
  connectorId: Type.Integer(),
  idTag: Type.String(),
  parentIdTag: Text,
  idTagStatus: Type.String({ description: 'What the station was told of the tag at the start' }),
  startedAt: Time,
  meterStartWh: Type.Integer(),
  reservationId: nullable(Type.Integer()),
  stoppedAt: nullable(Time),
  meterStopWh: Wh,
  energyWh: Wh,
  stopReason: Text,
  stopIdTag: Text,
  flags: Type.Array(Type.String(), {
    description: 'supersededByStart, meterStopBelowStart, stopBeforeStart, stoppedByOtherTag',
  }),
  startReceivedAt: Time,
  stopReceivedAt: nullable(Time),
});
const UnmatchedStop = Type.Object({
  unmatchedStopId: Type.Integer(),
  stationId: Type.String(),
  transactionId: Type.Integer({ description: 'As the station sent it' }),
  idTag: Text,
  meterStopWh: Type.Integer(),
  stoppedAt: Time,
  stopReason: Type.String(),
  why: Type.String({ description: 'unknownTransaction or alreadyStopped' }),
  request: Type.Unknown(),
  receivedAt: Time,
});
export const TransactionParams = Type.Object({ transactionId: Type.Integer(Int32) });
const Query = listQuery({
  stationId: Type.Optional(Type.String()),
  connectorId: Type.Optional(Type.Integer(Int32)),
  idTag: Type.Optional(Type.String()),
  open: Type.Optional(Type.Boolean({ description: 'true: those that have not ended' })),
  flag: Type.Optional(Type.String()),
  from: Type.Optional(TimeText),
  to: Type.Optional(TimeText),
});
const tags = ['transactions'];

/** Transactions and the stops that belong to none, newest first. */
export function transactionRoutes(app: App, { database }: ApiContext): void {
  app.get(
    '/transactions',
    {
      config: { role: 'viewer' },
      schema: {
        summary: 'Transactions, newest first',
        tags,
        querystring: Query,
        response: { 200: pageOf(Transaction) },
      },
    },
    async ({ query: { limit, cursor, from, to, ...filter } }) => {
      const [before = null] = readCursor(cursor, ['number']) ?? [];
      const { stationId, connectorId, idTag, open, flag } = filter;
      const times = { from: readTime(from, 'from'), to: readTime(to, 'to') };
      const rows = await store.list(database, {
        stationId,
        connectorId,
        idTag,
        open,
        flag,
        ...times,
        before: before as number | null,
        rows: limit + 1,
      });
      return page(rows, limit, ({ transactionId }) => [transactionId]);
    },
  );
  app.get(
    '/transactions/:transactionId',
    {
      config: { role: 'viewer' },
      schema: { summary: 'A transaction', tags, params: TransactionParams, response: { 200: Transaction } },
    },
    async ({ params: { transactionId } }) => {
      const transaction = await store.get(database, transactionId);
      if (!transaction) throw unknownTransaction(transactionId);
      return transaction;
    },
  );
  const UnmatchedQuery = listQuery({ stationId: Type.Optional(Type.String()) });
  app.get(
    '/unmatched-stops',
    {
      config: { role: 'viewer' },
      schema: {
        summary: 'Stops that belong to no transaction, to be reconciled; newest first',
        tags,
        querystring: UnmatchedQuery,
        response: { 200: pageOf(UnmatchedStop) },
      },
    },
    async ({ query: { limit, cursor, stationId } }) => {
      const [before = null] = readCursor(cursor, ['number']) ?? [];
      const rows = await store.listUnmatched(database, {
        before: before as number | null,
        stationId,
        rows: limit + 1,
      });
      return page(rows, limit, ({ unmatchedStopId }) => [unmatchedStopId]);
    },
  );
}

export function unknownTransaction(transactionId: number): Problem {
  return new Problem(404, `transaction ${transactionId} is not known; GET /api/v1/transactions lists them`);
}
