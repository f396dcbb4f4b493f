import { INT32_MAX } from '@evander/ocpp';
import { Type } from '@fastify/type-provider-typebox';
import type { ApiContext } from '../api-context.ts';
import { Int32, nullable, oneOf, readTime, Text, Time, TimeText } from '../http/fields.ts';
import { listQuery, pageOf, Pager } from '../http/paging.ts';
import { Problem } from '../http/problem.ts';
import type { App } from '../http/route.ts';
import * as store from './tags.store.ts';
import type { TagRow } from './tags.store.ts';

const IdTag = Type.String({
  minLength: 1,
  maxLength: 20,
  pattern: '^[\\x20-\\x7e]+$',
  description: '1 to 20 printable ASCII characters, in any case',
});
const Status = oneOf(['Accepted', 'Blocked'] as const);
const Limit = Type.Integer({
  minimum: 1,
  maximum: INT32_MAX,
  description: 'Maximum number of simultaneous transactions; null for any number',
});
const Tag = Type.Object(
  {
    idTag: Type.String(),
    status: Status,
    parentIdTag: Text,
    expiryDate: nullable(Time),
    concurrentTransactionLimit: nullable(Int32),
    note: Text,
    createdAt: Time,
    updatedAt: Time,
  },
  { title: 'Tag', description: 'The tag' },
);
const Change = Type.Object(
  {
    status: Type.Optional(Status),
    parentIdTag: Type.Optional(nullable(IdTag)),
    expiryDate: Type.Optional(nullable(TimeText)),
    concurrentTransactionLimit: Type.Optional(nullable(Limit)),
    note: Type.Optional(nullable(Type.String({ maxLength: 500 }))),
  },
  { additionalProperties: false },
);
const Params = Type.Object({ idTag: IdTag });
const Query = listQuery({
  status: Type.Optional({ ...Status, description: 'Only tags in this status' }),
  parentIdTag: Type.Optional({ ...IdTag, description: 'Only tags with this parentIdTag' }),
  prefix: Type.Optional(Type.String({ description: 'Beginning of the idTag, in any case' })),
});
const PAGER = new Pager(['text'], ({ idTag }: TagRow) => [store.tagKey(idTag)]);
const tags = ['tags'];

/** Routes for tags, which drivers present to charge. */
export function tagRoutes(app: App, { database }: ApiContext): void {
  app.get(
    '/tags',
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'listTags',
        summary: 'Tags, by idTag',
        tags,
        querystring: Query,
        response: { 200: pageOf(Tag) },
      },
    },
    ({ query }) =>
      PAGER.page(query, ({ after, rows }) =>
        store.list(database, { ...query, after: after?.[0] ?? null, rows }),
      ),
  );
  app.get(
    '/tags/:idTag',
    {
      config: { role: 'viewer' },
      schema: { operationId: 'getTag', summary: 'A tag', tags, params: Params, response: { 200: Tag } },
    },
    async ({ params: { idTag } }) => {
      const tag = await store.get(database, idTag);
      if (!tag) throw unknown(idTag);
      return tag;
    },
  );
  app.put(
    '/tags/:idTag',
    {
      config: { role: 'operator' },
      schema: {
        operationId: 'putTag',
        summary: 'Add or change a tag; omitted fields keep their value',
        tags,
        params: Params,
        body: Change,
        response: { 200: Tag, 201: Tag },
      },
    },
    async ({ params: { idTag }, body: { expiryDate, ...change } }, reply) => {
      const expiry = expiryDate === undefined ? {} : { expiryDate: readTime(expiryDate, 'expiryDate') };
      const tag = await store.put(database, idTag, { ...change, ...expiry });
      return reply.code(tag.isNew ? 201 : 200).send(tag);
    },
  );
  app.delete(
    '/tags/:idTag',
    {
      config: { role: 'operator' },
      schema: {
        operationId: 'removeTag',
        summary: 'Remove a tag; stations that send it get Invalid from now on',
        tags,
        params: Params,
        response: { 204: Type.Null({ description: 'Removed' }) },
      },
    },
    async ({ params: { idTag } }, reply) => {
      if (!(await store.remove(database, idTag))) throw unknown(idTag);
      return reply.code(204).send(null);
    },
  );
}

function unknown(idTag: string): Problem {
  const path = `/api/v1/tags/${encodeURIComponent(idTag)}`;
  return new Problem(404, `tag ${idTag} is not known; add it with PUT ${path}`);
}
