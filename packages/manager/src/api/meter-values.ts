import { Type } from '@fastify/type-provider-typebox';
import * as readings from '../store/readings.ts';
import * as transactionList from '../store/transaction-list.ts';
import { nullable, readTime, StationParams, Time, TimeText } from './fields.ts';
import { listQuery, page, pageOf, readCursor } from './paging.ts';
import type { ApiContext, App } from './route.ts';
import { TransactionParams, unknownTransaction } from './transactions.ts';

const Reading = Type.Object({
  measuredAt: Time,
  connectorId: Type.Integer(),
  transactionId: nullable(Type.Integer()),
  measurand: Type.String(),
  value: Type.String({ description: 'As the station sent it' }),
  unit: nullable(Type.String()),
  context: Type.String(),
  phase: nullable(Type.String()),
  location: Type.String(),
  format: Type.String(),
  receivedAt: Time,
});
const filters = { measurand: Type.Optional(Type.String()), context: Type.Optional(Type.String()) };
const tags = ['meter values'];

/** What stations measured, oldest first. */
export function meterValueRoutes(app: App, { database }: ApiContext): void {
  app.get(
    '/transactions/:transactionId/meter-values',
    {
      config: { role: 'viewer' },
      schema: {
        summary: 'What was measured in a transaction, oldest first',
        tags,
        params: TransactionParams,
        querystring: listQuery(filters),
        response: { 200: pageOf(Reading) },
      },
    },
    async ({ params: { transactionId }, query: { limit, cursor, measurand, context } }) => {
      const transaction = await transactionList.get(database, transactionId);
      if (!transaction) throw unknownTransaction(transactionId);
      const { stationId } = transaction;
      const filter = {
        stationId,
        transactionId,
        measurand,
        context,
        after: placeOf(cursor),
        rows: limit + 1,
      };
      return pageOfReadings(await readings.list(database, filter), limit);
    },
  );
  const Query = listQuery({
    ...filters,
    connectorId: Type.Optional(Type.Integer({ minimum: 0 })),
    from: Type.Optional(TimeText),
    to: Type.Optional(TimeText),
  });
  app.get(
    '/stations/:stationId/meter-values',
    {
      config: { role: 'viewer' },
      schema: {
        summary: 'What a station measured, in transactions or not, oldest first',
        tags,
        params: StationParams,
        querystring: Query,
        response: { 200: pageOf(Reading) },
      },
    },
    async ({
      params: { stationId },
      query: { limit, cursor, measurand, context, connectorId, from, to },
    }) => {
      const filter = {
        stationId,
        measurand,
        context,
        connectorId,
        from: readTime(from, 'from'),
        to: readTime(to, 'to'),
      };
      const rows = await readings.list(database, { ...filter, after: placeOf(cursor), rows: limit + 1 });
      return pageOfReadings(rows, limit);
    },
  );
}

function placeOf(cursor: string | undefined): readings.ReadingFilter['after'] {
  const key = readCursor(cursor, ['string', 'number', 'string']) as [string, number, string] | null;
  return key && { at: key[0], connectorId: key[1], digest: key[2] };
}

function pageOfReadings(
  rows: readings.Reading[],
  limit: number,
): { items: readings.Reading[]; nextCursor: string | null } {
  return page(rows, limit, ({ at, connectorId, digest }) => [at, connectorId, digest]);
}
