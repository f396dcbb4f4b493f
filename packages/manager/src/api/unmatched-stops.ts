import { Type } from '@fastify/type-provider-typebox';
import * as unmatchedStopList from '../store/unmatched-stop-list.ts';
import type { UnmatchedStopRow } from '../store/unmatched-stop-list.ts';
import { MISMATCHES, UNMATCHED_STOP_STATES } from '../store/unmatched-stops.ts';
import { assign, dismiss, unknownStop } from '../unmatched-stop-resolution.ts';
import { Int32, nullable, OfStation, oneOf, Reason, Text, Time } from './fields.ts';
import { listQuery, pageOf, Pager } from './paging.ts';
import { Problem } from './problem.ts';
import type { ApiContext, App } from './route.ts';

/** A stop that ended no transaction, as the API shows it. */
export const UnmatchedStop = Type.Object(
  {
    unmatchedStopId: Type.Integer(),
    stationId: Type.String(),
    transactionId: Type.Integer({ description: 'As the station sent it; 0 or less: without an id' }),
    idTag: Text,
    meterStopWh: Type.Integer(),
    stoppedAt: Time,
    stopReason: Type.String(),
    why: oneOf(
      MISMATCHES,
      'Why it ended no transaction: none fits, several do, or the one that it means has been ended by another stop',
    ),
    state: oneOf(UNMATCHED_STOP_STATES),
    assignedTransactionId: nullable(Type.Integer({ description: 'The transaction that it was assigned to' })),
    resolvedAt: nullable(Time),
    resolvedBy: nullable(Type.String({ description: 'Name of the API key' })),
    resolutionReason: Text,
    request: Type.Unknown({ description: 'The StopTransaction itself' }),
    receivedAt: Time,
  },
  { title: 'UnmatchedStop', description: 'The stop and its resolution' },
);
const UnmatchedStopParams = Type.Object({
  unmatchedStopId: Type.Integer({
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    description: 'The id of the stop',
  }),
});
const Assign = Type.Object({ transactionId: Int32, reason: Reason }, { additionalProperties: false });
const Dismiss = Type.Object({ reason: Reason }, { additionalProperties: false });
const PAGER = new Pager(['integer'], ({ unmatchedStopId }: UnmatchedStopRow) => [unmatchedStopId]);
const tags = ['transactions'];

/** Stops that ended no transaction, and what an operator does with them. */
export function unmatchedStopRoutes(app: App, { database, keys, now }: ApiContext): void {
  const answerWith = async (unmatchedStopId: number): Promise<UnmatchedStopRow> => {
    const stop = await unmatchedStopList.get(database, unmatchedStopId);
    if (!stop) throw new Problem(404, unknownStop(unmatchedStopId));
    return stop;
  };
  app.get(
    '/unmatched-stops',
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'listUnmatchedStops',
        summary: 'Stops that ended no transaction, for an operator to reconcile; newest first',
        tags,
        querystring: listQuery({
          stationId: OfStation,
          state: Type.Optional(oneOf(UNMATCHED_STOP_STATES, 'open if it is not given')),
        }),
        response: { 200: pageOf(UnmatchedStop) },
      },
    },
    ({ query: { state = 'open', ...query } }) =>
      PAGER.page(query, ({ after, rows }) =>
        unmatchedStopList.list(database, { ...query, state, before: after?.[0] ?? null, rows }),
      ),
  );
  app.get(
    '/unmatched-stops/:unmatchedStopId',
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'getUnmatchedStop',
        summary: 'A stop that ended no transaction',
        tags,
        params: UnmatchedStopParams,
        response: { 200: UnmatchedStop },
      },
    },
    ({ params: { unmatchedStopId } }) => answerWith(unmatchedStopId),
  );
  app.post(
    '/unmatched-stops/:unmatchedStopId/assign',
    {
      config: { role: 'operator', problems: [409, 422] },
      schema: {
        operationId: 'assignUnmatchedStop',
        summary:
          'End a transaction of the same station by this stop; a stop that was inferred or assigned before becomes unmatched',
        tags,
        params: UnmatchedStopParams,
        body: Assign,
        response: { 200: UnmatchedStop },
      },
    },
    async (request) => {
      const { unmatchedStopId } = request.params;
      const { transactionId, reason } = request.body;
      const by = (await keys.nameOf(request)) ?? null;
      await assign(database, { unmatchedStopId, transactionId, reason: reason.trim(), by, at: now() });
      return answerWith(unmatchedStopId);
    },
  );
  app.post(
    '/unmatched-stops/:unmatchedStopId/dismiss',
    {
      config: { role: 'operator', problems: [409] },
      schema: {
        operationId: 'dismissUnmatchedStop',
        summary: 'Record that this stop belongs to no transaction; it can still be assigned later',
        tags,
        params: UnmatchedStopParams,
        body: Dismiss,
        response: { 200: UnmatchedStop },
      },
    },
    async (request) => {
      const { unmatchedStopId } = request.params;
      const by = (await keys.nameOf(request)) ?? null;
      await dismiss(database, { unmatchedStopId, reason: request.body.reason.trim(), by, at: now() });
      return answerWith(unmatchedStopId);
    },
  );
}
