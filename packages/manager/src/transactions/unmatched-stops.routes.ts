import { Type } from '@fastify/type-provider-typebox';
import type { ApiContext } from '../api-context.ts';
import { Int32, OfStation, oneOf, Reason } from '../http/fields.ts';
import { listQuery, pageOf, Pager } from '../http/paging.ts';
import { Problem } from '../http/problem.ts';
import type { App } from '../http/route.ts';
import * as unmatchedStopList from './unmatched-stop-list.store.ts';
import type { UnmatchedStopRow } from './unmatched-stop-list.store.ts';
import { assign, dismiss, unknownStop } from './unmatched-stop-resolution.ts';
import { UnmatchedStop } from './unmatched-stops.schemas.ts';
import { UNMATCHED_STOP_STATES } from './unmatched-stops.store.ts';

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

/** Routes to list, assign and dismiss stops that ended no transaction. */
export function unmatchedStopRoutes(app: App, { database, keys, now }: ApiContext): void {
  const get = async (unmatchedStopId: number): Promise<UnmatchedStopRow> => {
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
          state: Type.Optional(oneOf(UNMATCHED_STOP_STATES, 'Default: open')),
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
    ({ params: { unmatchedStopId } }) => get(unmatchedStopId),
  );
  app.post(
    '/unmatched-stops/:unmatchedStopId/assign',
    {
      config: { role: 'operator', problems: [409, 422] },
      schema: {
        operationId: 'assignUnmatchedStop',
        summary:
          'End a transaction of the same station by this stop; an earlier inferred or assigned stop becomes unmatched',
        tags,
        params: UnmatchedStopParams,
        body: Assign,
        response: { 200: UnmatchedStop },
      },
    },
    async (request) => {
      const { unmatchedStopId } = request.params;
      const { transactionId, reason } = request.body;
      const by = await keys.nameOf(request);
      await assign(database, { unmatchedStopId, transactionId, reason: reason.trim(), by, at: now() });
      return get(unmatchedStopId);
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
      const by = await keys.nameOf(request);
      await dismiss(database, { unmatchedStopId, reason: request.body.reason.trim(), by, at: now() });
      return get(unmatchedStopId);
    },
  );
}
