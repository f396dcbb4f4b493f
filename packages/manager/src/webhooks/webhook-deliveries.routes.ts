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
        description: 'By default all dead events',
      }),
    ),
  },
  { additionalProperties: false },
);
const Replayed = Type.Object(
  { replayed: Type.Integer({ description: 'Number of events that will be retried' }) },
  { title: 'ReplayedDeliveries', description: 'The events that will be retried' },
);
const PAGER = new Pager(['integer'], ({ event }: DeadDelivery) => [event.id]);
const config = { role: 'admin' } as const;
const tags = ['events'];

/** Routes that list and replay events that could not be delivered. */
export function webhookDeliveryRoutes(app: App, { database }: ApiContext): void {
  app.get(
    '/webhooks/:webhookId/dead',
    {
      config,
      schema: {
        operationId: 'listDeadDeliveries',
        summary: 'Events that were given up, oldest first',
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
        summary: 'Retry dead events, before the waiting events of their station',
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
