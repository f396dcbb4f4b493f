import { Type } from '@fastify/type-provider-typebox';
import type { ApiContext } from '../api-context.ts';
import { Time } from '../http/fields.ts';
import { listQuery, pageOf, Pager } from '../http/paging.ts';
import type { App } from '../http/route.ts';
import * as rejectedConnections from './rejected-connections.store.ts';
import type { RejectedConnection } from './rejected-connections.store.ts';

const Rejected = Type.Object(
  {
    remoteAddress: Type.String(),
    reason: Type.String(),
    status: Type.Integer({
      description:
        'Status of the HTTP response, or the status that it would have had if the connection was closed before a request',
    }),
    count: Type.Integer(),
    firstAt: Time,
    lastAt: Time,
  },
  { title: 'RejectedConnection' },
);
const PAGER = new Pager(['time', 'text', 'text'], ({ lastAt, remoteAddress, reason }: RejectedConnection) => [
  lastAt.toISOString(),
  remoteAddress,
  reason,
]);

/** Rejected connections that named no station. */
export function rejectedConnectionRoutes(app: App, { database }: ApiContext): void {
  app.get(
    '/rejected-connections',
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'listRejectedConnections',
        summary:
          'Rejected connections that named no station, by address and reason, latest first; those that named one are listed in `rejected` of the station',
        tags: ['stations'],
        querystring: listQuery({}),
        response: { 200: pageOf(Rejected) },
      },
    },
    ({ query }) =>
      PAGER.page(query, ({ after, rows }) =>
        rejectedConnections.list(database, {
          before: after && { lastAt: after[0], remoteAddress: after[1], reason: after[2] },
          rows,
        }),
      ),
  );
}
