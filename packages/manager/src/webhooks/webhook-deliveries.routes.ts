import { Type } from '@fastify/type-provider-typebox';
import type { ApiContext } from '../api-context.ts';
import { Event } from '../events/events.schemas.ts';
import { nullable, Text, Time } from '../http/fields.ts';
import { listQuery, pageOf, Pager } from '../http/paging.ts';
import type { App } from '../http/route.ts';
import * as deliveries from './webhook-deliveries.store.ts';
import type { DeadDelivery } from './webhook-deliveries.store.ts';
import { throwUnknown, WebhookParams } from './webhooks.schemas.ts';
import * as webhooks from './webhooks.store.ts';

const Dead = Type.Object(
  {
    event: Event,
    attempts: Type.Integer(),
    firstFailedAt: nullable(Time),
    lastError: Text,
    deadAt: Time,
  },
  { title: 'DeadDelivery' },
);
const Replay = Type.Object(
  {
    eventIds: Type.Optional(
      Type.Array(Type.Integer(), {
        minItems: 1,
        maxItems: 10_000,
        description: 'All dead ones when left out',
      }),
    ),
  },
  { additionalProperties: false },
);
const Replayed = Type.Object(
  { replayed: Type.Integer({ description: 'Events that are tried again' }) },
  { title: 'ReplayedDeliveries', description: 'What is tried again' },
);
const PAGER = new Pager(['integer'], ({ event }: DeadDelivery) => [event.id]);
const config = { role: 'admin' } as const;
const tags = ['events'];

/** Events that a webhook was not rid of. */
export function webhookDeliveryRoutes(app: App, { database }: ApiContext): void {
  app.get(
    '/webhooks/:webhookId/dead',
    {
      config,
      schema: {
        operationId: 'listDeadDeliveries',
        summary: 'Events that were tried in vain for too long, oldest first',
        tags,
        params: WebhookParams,
        querystring: listQuery({}),
        response: { 200: pageOf(Dead) },
      },
    },
    async ({ params: { webhookId }, query }) => {
      if (!(await webhooks.get(database, webhookId))) throwUnknown(webhookId);
      return PAGER.page(query, ({ after, rows }) =>
        deliveries.listDead(database, webhookId, { after: after?.[0] ?? null, rows }),
      );
    },
  );
  app.post(
    '/webhooks/:webhookId/replay',
    {
      config,
      schema: {
        operationId: 'replayDeadDeliveries',
        summary: 'Have dead events tried again, before those of their station that wait',
        tags,
        params: WebhookParams,
        body: Replay,
        response: { 200: Replayed },
      },
    },
    async ({ params: { webhookId }, body: { eventIds } }) => {
      if (!(await webhooks.get(database, webhookId))) throwUnknown(webhookId);
      const replayed = await database.transaction((db) => deliveries.replay(db, webhookId, eventIds ?? null));
      return { replayed };
    },
  );
}
