import { Type } from '@fastify/type-provider-typebox';
import { randomBytes } from 'node:crypto';
import type { ApiContext } from '../api-context.ts';
import { idOf, nullable, oneOf, readTime, Time } from '../http/fields.ts';
import { listQuery, pageOf, Pager } from '../http/paging.ts';
import { Problem } from '../http/problem.ts';
import type { App } from '../http/route.ts';
import * as apiKeys from './api-keys.store.ts';
import type { ApiKey as Row } from './api-keys.store.ts';

const ROLE = oneOf(
  ['admin', 'operator', 'viewer'] as const,
  'viewer reads; operator also writes stations and tags; admin also API keys',
);
const FIELDS = {
  keyId: Type.String({ format: 'uuid' }),
  name: Type.String(),
  role: ROLE,
  createdAt: Time,
  expiresAt: nullable(Time),
};
const ApiKey = Type.Object(FIELDS, { title: 'ApiKey' });
const CreatedKey = Type.Object(
  {
    ...FIELDS,
    key: Type.String({
      description: 'The key itself, shown only in this response',
      examples: ['evk_k3yK3Y…'],
    }),
  },
  { title: 'MadeApiKey', description: 'The key was created' },
);
const NewKey = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 100 }),
    role: ROLE,
    expiresAt: Type.Optional(
      nullable(
        Type.String({
          format: 'date-time',
          description: 'Expiry time; without it the key is valid until it is revoked',
        }),
      ),
    ),
  },
  { additionalProperties: false },
);
const Params = Type.Object({ keyId: idOf('API key') });
const PAGER = new Pager(['text', 'uuid'], ({ name, keyId }: Row) => [name, keyId]);

/** Routes that create, list and revoke API keys. */
export function apiKeyRoutes(app: App, context: ApiContext): void {
  const { database, keys } = context;
  const config = { role: 'admin' } as const;
  const tags = ['API keys'];
  app.get(
    '/api-keys',
    {
      config,
      schema: {
        operationId: 'listApiKeys',
        summary: 'API keys, by name',
        tags,
        querystring: listQuery({}),
        response: { 200: pageOf(ApiKey) },
      },
    },
    ({ query }) => PAGER.page(query, (place) => apiKeys.list(database, place)),
  );
  app.post(
    '/api-keys',
    {
      config,
      schema: {
        operationId: 'makeApiKey',
        summary: 'Create an API key; it is shown only in this response',
        tags,
        body: NewKey,
        response: { 201: CreatedKey },
      },
    },
    async ({ body }, reply) => {
      const key = `evk_${randomBytes(32).toString('base64url')}`;
      const expiresAt = readTime(body.expiresAt, 'expiresAt');
      if (expiresAt && expiresAt <= context.now())
        throw new Problem(400, 'expiresAt is in the past; send a future time, or omit it', {
          field: 'expiresAt',
        });
      const created = await apiKeys.add(database, { ...body, expiresAt, key });
      keys.forgetHashes();
      return reply.code(201).send({ ...created, key });
    },
  );
  app.delete(
    '/api-keys/:keyId',
    {
      config: { ...config, problems: [409] },
      schema: {
        operationId: 'removeApiKey',
        summary: 'Revoke an API key',
        tags,
        params: Params,
        response: { 204: Type.Null({ description: 'The key is revoked' }) },
      },
    },
    async ({ params: { keyId } }, reply) => {
      const outcome = await apiKeys.removeKey(database, keyId);
      if (outcome === 'unknown')
        throw new Problem(404, `API key ${keyId} is not known; GET /api/v1/api-keys lists those that are`);
      if (outcome === 'last')
        throw new Problem(
          409,
          `API key ${keyId} is the last admin key that does not expire; create another before you revoke it`,
        );
      keys.forget(keyId);
      return reply.code(204).send(null);
    },
  );
}
