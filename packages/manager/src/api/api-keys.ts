import { Type } from '@fastify/type-provider-typebox';
import { randomBytes } from 'node:crypto';
import * as apiKeys from '../store/api-keys.ts';
import { oneOf, Time } from './fields.ts';
import { Problem } from './problem.ts';
import type { ApiContext, App } from './route.ts';

const Role = oneOf(['admin', 'operator', 'viewer'] as const);
const ApiKey = Type.Object({ keyId: Type.String(), name: Type.String(), role: Role, createdAt: Time });
const NewKey = Type.Object(
  { name: Type.String({ minLength: 1, maxLength: 100 }), role: Role },
  { additionalProperties: false },
);
const Params = Type.Object({ keyId: Type.String({ format: 'uuid' }) });

/** Keys of the API: made, listed, taken back. A key itself is shown once, when it is made. */
export function apiKeyRoutes(app: App, { database }: ApiContext): void {
  const config = { role: 'admin' } as const;
  const tags = ['API keys'];
  app.get(
    '/api-keys',
    {
      config,
      schema: {
        summary: 'All API keys',
        tags,
        response: { 200: Type.Object({ items: Type.Array(ApiKey), nextCursor: Type.Null() }) },
      },
    },
    async () => ({ items: await apiKeys.list(database), nextCursor: null }),
  );
  const Made = Type.Intersect([ApiKey, Type.Object({ key: Type.String() })]);
  app.post(
    '/api-keys',
    {
      config,
      schema: {
        summary: 'Make an API key; it is shown this once',
        tags,
        body: NewKey,
        response: { 201: Made },
      },
    },
    async ({ body }, reply) => {
      const key = `evk_${randomBytes(32).toString('base64url')}`;
      const made = await apiKeys.add(database, { ...body, key });
      return reply.code(201).send({ ...made, key });
    },
  );
  app.delete(
    '/api-keys/:keyId',
    {
      config,
      schema: { summary: 'Take an API key back', tags, params: Params, response: { 204: Type.Null() } },
    },
    async ({ params: { keyId } }, reply) => {
      const outcome = await apiKeys.removeKey(database, keyId);
      if (outcome === 'unknown')
        throw new Problem(404, `API key ${keyId} is not known; GET /api/v1/api-keys lists them`);
      if (outcome === 'last')
        throw new Problem(409, 'this is the last admin key; make another before you take it back');
      return reply.code(204).send(null);
    },
  );
}
