import { Type } from '@fastify/type-provider-typebox';
import type { ApiContext } from '../api-context.ts';
import { OfStation, Period, readPeriod } from '../http/fields.ts';
import { listQuery, pageOf, Pager } from '../http/paging.ts';
import type { App } from '../http/route.ts';
import { SecurityEvent } from './security-events.schemas.ts';
import * as securityEvents from './security-events.store.ts';
import type { SecurityEvent as Row } from './security-events.store.ts';

const Query = listQuery({
  stationId: OfStation,
  type: Type.Optional(Type.String({ description: 'Only this type, case-insensitive' })),
  critical: Type.Optional(Type.Boolean({ description: 'true: only critical ones; false: only others' })),
  ...Period,
});
const PAGER = new Pager(['time', 'text', 'text'], ({ occurredAt, stationId, type }: Row) => [
  occurredAt.toISOString(),
  stationId,
  type,
]);

/** Security events of all stations. */
export function securityEventRoutes(app: App, { database }: ApiContext): void {
  app.get(
    '/security-events',
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'listSecurityEvents',
        summary: 'Security events, newest first',
        tags: ['security'],
        querystring: Query,
        response: { 200: pageOf(SecurityEvent) },
      },
    },
    ({ query }) =>
      PAGER.page(query, ({ after, rows }) =>
        securityEvents.list(database, {
          ...query,
          ...readPeriod(query),
          before: after && { at: after[0], stationId: after[1], type: after[2] },
          rows,
        }),
      ),
  );
}
