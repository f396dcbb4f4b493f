import { Type } from '@fastify/type-provider-typebox';
import * as unmatchedStopList from '../store/unmatched-stop-list.ts';
import type { UnmatchedStopRow } from '../store/unmatched-stop-list.ts';
import { oneOf, Text, Time } from './fields.ts';
import { listQuery, pageOf, Pager } from './paging.ts';
import type { ApiContext, App } from './route.ts';

const UnmatchedStop = Type.Object({
  unmatchedStopId: Type.Integer(),
  stationId: Type.String(),
  transactionId: Type.Integer({ description: 'As the station sent it' }),
  idTag: Text,
  meterStopWh: Type.Integer(),
  stoppedAt: Time,
  stopReason: Type.String(),
  why: oneOf(['unknownTransaction', 'alreadyStopped'] as const),
  request: Type.Unknown({ description: 'The StopTransaction itself' }),
  receivedAt: Time,
});
const PAGER = new Pager(['integer'], ({ unmatchedStopId }: UnmatchedStopRow) => [unmatchedStopId]);

/** Stops that ended no transaction. */
export function unmatchedStopRoutes(app: App, { database }: ApiContext): void {
  app.get(
    '/unmatched-stops',
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'listUnmatchedStops',
        summary: 'Stops that ended no transaction, for an operator to reconcile; newest first',
        tags: ['transactions'],
        querystring: listQuery({ stationId: Type.Optional(Type.String()) }),
        response: { 200: pageOf(UnmatchedStop) },
      },
    },
    ({ query }) =>
      PAGER.page(query, ({ after, rows }) =>
        unmatchedStopList.list(database, { stationId: query.stationId, before: after?.[0] ?? null, rows }),
      ),
  );
}
