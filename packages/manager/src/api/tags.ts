import { Type } from '@fastify/type-provider-typebox';
import * as store from '../store/tags.ts';
import { nullable, oneOf, readTime, Time, TimeText } from './fields.ts';
import { listQuery, page, pageOf, readCursor } from './paging.ts';
import { Problem } from './problem.ts';
import type { ApiContext, App } from './route.ts';

const IdTag = Type.String({ minLength: 1, maxLength: 20, pattern: '^[\\x20-\\x7e]+$' });
const Status = oneOf(['Accepted', 'Blocked'] as const);
const Tag = Type.Object({
  idTag: Type.String(),
  status: Status,
  parentIdTag: nullable(Type.String()),
  expiryDate: nullable(Time),
  concurrentTransactionLimit: nullable(Type.Integer()),
  note: nullable(Type.String()),
  createdAt: Time,
  updatedAt: Time,
});
const Change = Type.Object(
  {
    status: Type.Optional(Status),
    parentIdTag: Type.Optional(nullable(IdTag)),
    expiryDate: Type.Optional(nullable(TimeText)),
    concurrentTransactionLimit: Type.Optional(
      nullable(Type.Integer({ minimum: 1, maximum: 1_000_000, description: 'null: no limit' })),
    ),
    note: Type.Optional(nullable(Type.String({ maxLength: 500 }))),
  },
  { additionalProperties: false },
);
const Params = Type.Object({ idTag: IdTag });
const Query = listQuery({
  status: Type.Optional(Status),
  parentIdTag: Type.Optional(Type.String()),
  prefix: Type.Optional(Type.String()),
});
const tags = ['tags'];

/** Tags: what drivers show to be let charge. Compared without regard to case. */
export function tagRoutes(app: App, { database }: ApiContext): void {
  app.get(
    '/tags',
    {
      config: { role: 'viewer' },
      schema: { summary: 'Tags', tags, querystring: Query, response: { 200: pageOf(Tag) } },
    },
    async ({ query: { limit, cursor, ...filter } }) => {
      const [after = null] = readCursor(cursor, ['string']) ?? [];
      const { status, parentIdTag, prefix } = filter;
      const rows = await store.list(database, {
        status,
        parentIdTag,
        prefix,
        after: after as string | null,
        rows: limit + 1,
      });
      return page(rows, limit, ({ key }) => [key]);
    },
  );
  app.get(
    '/tags/:idTag',
    {
      config: { role: 'viewer' },
      schema: { summary: 'A tag', tags, params: Params, response: { 200: Tag } },
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
        summary: 'Add or change a tag',
        tags,
        params: Params,
        body: Change,
        response: { 200: Tag, 201: Tag },
      },
    },
    async ({ params: { idTag }, body }, reply) => {
      const { expiryDate, ...rest } = body;
      const expiry = expiryDate === null ? null : readTime(expiryDate, 'expiryDate');
      const change = expiryDate === undefined ? rest : { ...rest, expiryDate: expiry };
      const tag = await store.put(database, idTag, change);
      return reply.code(tag.isNew ? 201 : 200).send(tag);
    },
  );
  app.delete(
    '/tags/:idTag',
    {
      config: { role: 'operator' },
      schema: {
        summary: 'Remove a tag: it is unknown from now on',
        tags,
        params: Params,
        response: { 204: Type.Null() },
      },
    },
    async ({ params: { idTag } }, reply) => {
      if (!(await store.remove(database, idTag))) throw unknown(idTag);
      return reply.code(204).send(null);
    },
  );
}

function unknown(idTag: string): Problem {
  return new Problem(
    404,
    `tag ${idTag} is not known; add it with PUT /api/v1/tags/${encodeURIComponent(idTag)}`,
  );
}
