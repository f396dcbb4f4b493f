import { Type } from '@fastify/type-provider-typebox';
import type { TProperties, TSchema } from '@fastify/type-provider-typebox';
import { nullable } from './fields.ts';
import { Problem } from './problem.ts';

/** The query of a list: `limit`, `cursor` and its filters. */
export function listQuery<P extends TProperties>(filters: P) {
  return Type.Object(
    {
      limit: Type.Integer({
        minimum: 1,
        maximum: 500,
        default: 50,
        description: 'Items of one page at most',
      }),
      cursor: Type.Optional(Type.String({ description: '`nextCursor` of the page before' })),
      ...filters,
    },
    { additionalProperties: false },
  );
}

/** A page of a list. */
export function pageOf<S extends TSchema>(item: S) {
  return Type.Object({ items: Type.Array(item), nextCursor: nullable(Type.String()) });
}

/** Makes a page of one row more than its limit: the row too many tells that there is another page. */
export function page<Row>(
  rows: Row[],
  limit: number,
  keyOf: (row: Row) => (string | number)[],
): { items: Row[]; nextCursor: string | null } {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  const nextCursor =
    rows.length > limit && last !== undefined
      ? Buffer.from(JSON.stringify(keyOf(last))).toString('base64url')
      : null;
  return { items, nextCursor };
}

/** The key after which a page begins: as many values, of such types, as `kinds` names; null for the first page. */
export function readCursor(
  cursor: string | undefined,
  kinds: ('string' | 'number')[],
): (string | number)[] | null {
  if (cursor === undefined) return null;
  try {
    const key: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (
      Array.isArray(key) &&
      key.length === kinds.length &&
      kinds.every((kind, i) => typeof key[i] === kind)
    ) {
      return key as (string | number)[];
    }
  } catch {
    // Told below, like a cursor of another list.
  }
  throw new Problem(400, 'the cursor is not one of this list; send `nextCursor` of the page before, or none');
}
