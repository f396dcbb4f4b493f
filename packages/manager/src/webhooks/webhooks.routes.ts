import { Type } from '@fastify/type-provider-typebox';
import { randomBytes } from 'node:crypto';
import type { ApiContext } from '../api-context.ts';
import { KINDS } from '../events/events.schemas.ts';
import { nullable, oneOf, StationId, Text, Time } from '../http/fields.ts';
import { listQuery, pageOf, Pager } from '../http/paging.ts';
import { Problem } from '../http/problem.ts';
import type { App } from '../http/route.ts';
import { checkOutbound, OutboundRefused } from '../outbound/outbound.ts';
import { throwUnknown, WebhookParams } from './webhooks.schemas.ts';
import * as webhooks from './webhooks.store.ts';
import type { Webhook as Row } from './webhooks.store.ts';

const Url = Type.String({
  maxLength: 2000,
  pattern: '^https?://[^@\\s]+$',
  description: 'an http or https URL without user or password: events are posted to it',
});
const Kinds = nullable(
  Type.Array(oneOf(KINDS), { minItems: 1, description: 'Null for all; `transaction.*` is all of a group' }),
);
const StationIds = nullable(
  Type.Array(StationId, { minItems: 1, maxItems: 1000, description: 'Null for all' }),
);
const FIELDS = {
  webhookId: Type.String({ format: 'uuid' }),
  url: Type.String(),
  kinds: Kinds,
  stationIds: StationIds,
  active: Type.Boolean({
    description: 'Whether it receives events; once active again, it continues where it stopped',
  }),
  inactiveReason: nullable(
    Type.String({ description: 'Why Evander deactivated it, for example after 410 Gone' }),
  ),
  createdAt: Time,
  lastEventId: Type.Integer({ description: 'Events up to this one are delivered, waiting or dead' }),
  behind: Type.Object(
    {
      ids: Type.Integer({
        description: 'Number of events of all kinds that are not delivered, waiting or dead',
      }),
      seconds: Type.Integer({ description: 'Age of the oldest of them' }),
    },
    { description: 'How far it is behind the newest event; 0 and 0 when it is up to date' },
  ),
  lastDeliveredAt: nullable(Time),
  failingSince: nullable(
    Type.Unsafe<Date>({ ...Time, description: 'Since when the receiver has accepted nothing at all' }),
  ),
  lastError: Text,
  lastErrorAt: nullable(Time),
  waiting: Type.Integer({ description: 'Number of events that will be retried' }),
  dead: Type.Integer({ description: 'Number of events that were given up' }),
};
const Webhook = Type.Object(FIELDS, { title: 'Webhook', description: 'The webhook' });
const MadeWebhook = Type.Object(
  { ...FIELDS, secret: Type.String({ description: 'Secret for the signatures, shown only now' }) },
  { title: 'MadeWebhook', description: 'The webhook was created' },
);
const NewWebhook = Type.Object(
  {
    url: Url,
    kinds: Type.Optional(Kinds),
    stationIds: Type.Optional(StationIds),
    active: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
);
const Change = Type.Partial(NewWebhook, { additionalProperties: false });
const PAGER = new Pager(['time', 'uuid'], ({ createdAt, webhookId }: Row) => [
  createdAt.toISOString(),
  webhookId,
]);
const config = { role: 'admin' } as const;
const tags = ['events'];

/** Routes that create, list, change and remove webhooks. */
export function webhookRoutes(app: App, context: ApiContext): void {
  addReading(app, context);
  addMaking(app, context);
  addChanging(app, context);
}

function addReading(app: App, { database }: ApiContext): void {
  app.get(
    '/webhooks',
    {
      config,
      schema: {
        operationId: 'listWebhooks',
        summary: 'Webhooks, oldest first',
        tags,
        querystring: listQuery({}),
        response: { 200: pageOf(Webhook) },
      },
    },
    ({ query }) => PAGER.page(query, (place) => webhooks.list(database, place)),
  );
  app.get(
    '/webhooks/:webhookId',
    {
      config,
      schema: {
        operationId: 'getWebhook',
        summary: 'A webhook, with the state of its deliveries',
        tags,
        params: WebhookParams,
        response: { 200: Webhook },
      },
    },
    async ({ params: { webhookId } }) => (await webhooks.get(database, webhookId)) ?? throwUnknown(webhookId),
  );
}

function addMaking(app: App, context: ApiContext): void {
  const { database, webhookSealer } = context;
  app.post(
    '/webhooks',
    {
      config: { ...config, problems: [422] },
      schema: {
        operationId: 'makeWebhook',
        summary: 'Create a webhook: events are posted to its URL from now on; the secret is shown only now',
        tags,
        body: NewWebhook,
        response: { 201: MadeWebhook },
      },
    },
    async ({ body }, reply) => {
      await checkUrl(body.url, context);
      const secret = `evw_${randomBytes(32).toString('base64url')}`;
      const made = await webhooks.add(database, {
        kinds: null,
        stationIds: null,
        active: true,
        ...body,
        sealedSecret: webhookSealer.seal(secret),
      });
      return reply
        .code(201)
        .header('cache-control', 'no-store')
        .send({ ...made, secret });
    },
  );
}

function addChanging(app: App, context: ApiContext): void {
  const { database } = context;
  app.put(
    '/webhooks/:webhookId',
    {
      config: { ...config, problems: [422] },
      schema: {
        operationId: 'changeWebhook',
        summary: 'Change a webhook; due events are tried immediately',
        tags,
        params: WebhookParams,
        body: Change,
        response: { 200: Webhook },
      },
    },
    async ({ params: { webhookId }, body }) => {
      if (body.url !== undefined) await checkUrl(body.url, context);
      return (await webhooks.change(database, webhookId, body)) ?? throwUnknown(webhookId);
    },
  );
  app.delete(
    '/webhooks/:webhookId',
    {
      config,
      schema: {
        operationId: 'removeWebhook',
        summary: 'Remove a webhook and its waiting events',
        tags,
        params: WebhookParams,
        response: { 204: Type.Null({ description: 'Removed' }) },
      },
    },
    async ({ params: { webhookId } }, reply) => {
      if (!(await webhooks.removeWebhook(database, webhookId))) throwUnknown(webhookId);
      return reply.code(204).send(null);
    },
  );
}

/** Throws Problem for a URL that events can never be posted to. */
async function checkUrl(url: string, { outboundPrivate: allowPrivate }: ApiContext): Promise<void> {
  if (!URL.canParse(url))
    throw new Problem(400, 'body: url is not a URL; send one like https://host/path', { field: 'url' });
  try {
    await checkOutbound(url, { allowPrivate });
  } catch (error) {
    if (!(error instanceof OutboundRefused)) throw error;
    throw new Problem(422, `body: url cannot be used: ${error.message}`, { field: 'url' });
  }
}
