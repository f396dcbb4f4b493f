import { Type } from '@fastify/type-provider-typebox';
import type { TProperties, TSchema } from '@fastify/type-provider-typebox';
import { nullable } from './fields.ts';
import { Problem } from './problem.ts';

const DEFAULT_LIMIT = 50;

/** The query of a list: `limit`, `cursor` and its filters. */
export function listQuery<P extends TProperties>(filters: P) {
  return Type.Object(
    {
      limit: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: 500,
          default: DEFAULT_LIMIT,
          description: 'Maximum number of items in a page',
        }),
      ),
      cursor: Type.Optional(
        Type.String({ description: '`nextCursor` of the previous page; omitted or empty for the first' }),
      ),
      ...filters,
    },
    { additionalProperties: false },
  );
}

/** The answer of a list. */
export function pageOf<S extends TSchema>(item: S) {
  const nextCursor = nullable(
    Type.String({ description: '`cursor` for the next page; null on the last page' }),
  );
  const { title } = item as { title?: string };
  return Type.Object(
    { items: Type.Array(item), nextCursor },
    { ...(title !== undefined && { title: `${title}Page` }), description: 'A page of the list' },
  );
}

/** What a cursor can hold. */
const KINDS = {
  text: (value: unknown) => typeof value === 'string' && !value.includes('\0'),
  integer: (value: unknown) => Number.isSafeInteger(value),
  time: (value: unknown) => typeof value === 'string' && !Number.isNaN(Date.parse(value)),
  uuid: (value: unknown) =>
    typeof value === 'string' && /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/.test(value),
};
type Kind = keyof typeof KINDS;
type Key<K extends readonly Kind[]> = { -readonly [I in keyof K]: K[I] extends 'integer' ? number : string };

/** How a list goes on: the values that its rows are ordered by are the cursor, so nothing is lost or doubled while rows come. */
export class Pager<Row, const K extends readonly Kind[]> {
  readonly #kinds: K;
  readonly #keyOf: (row: Row) => Key<K>;

  constructor(kinds: K, keyOf: (row: Row) => Key<K>) {
    this.#kinds = kinds;
    this.#keyOf = keyOf;
  }

  /** Asks `list` for the page after the cursor, with one row too many: it tells that there is another page. */
  async page(
    { cursor, limit = DEFAULT_LIMIT }: { cursor?: string; limit?: number },
    list: (place: { after: Key<K> | null; rows: number }) => Promise<Row[]>,
  ): Promise<{ items: Row[]; nextCursor: string | null }> {
    const rows = await list({ after: this.#read(cursor), rows: limit + 1 });
    const items = rows.slice(0, limit);
    const last = items.at(-1);
    const hasMore = rows.length > limit && last !== undefined;
    const nextCursor = hasMore ? Buffer.from(JSON.stringify(this.#keyOf(last))).toString('base64url') : null;
    return { items, nextCursor };
  }

  #read(cursor: string | undefined): Key<K> | null {
    if (!cursor) return null;
    const key = parse(Buffer.from(cursor, 'base64url').toString());
    if (Array.isArray(key) && key.length === this.#kinds.length) {
      if (this.#kinds.every((kind, i) => KINDS[kind](key[i]))) return key as Key<K>;
    }
    throw new Problem(
      400,
      'the cursor is not one of this list; send `nextCursor` of the page before, or none',
      {
        field: 'cursor',
      },
    );
  }
}

/** Where a list goes on whose rows are ordered by time, or by id alone. */
export interface PlaceInPeriod {
  at: string | null;
  id: number;
}

/**
 * A list of rows that have an id and a time, newest first: by id, or by time where a period is given, so that nothing after the period
 * is read for a page of it.
 */
export class PeriodPager<Row> {
  readonly #byId: Pager<Row, readonly ['integer']>;
  readonly #byTime: Pager<Row, readonly ['time', 'integer']>;

  constructor(keyOf: (row: Row) => { at: Date; id: number }) {
    this.#byId = new Pager(['integer'], (row) => [keyOf(row).id]);
    this.#byTime = new Pager(['time', 'integer'], (row) => [keyOf(row).at.toISOString(), keyOf(row).id]);
  }

  /** As Pager.page; throws Problem for a cursor of the other order. */
  page(
    query: { cursor?: string; limit?: number },
    { from, to }: { from: Date | null; to: Date | null },
    list: (place: { before: PlaceInPeriod | null; rows: number }) => Promise<Row[]>,
  ): Promise<{ items: Row[]; nextCursor: string | null }> {
    if (from === null && to === null)
      return this.#byId.page(query, ({ after, rows }) =>
        list({ before: after && { at: null, id: after[0] }, rows }),
      );
    return this.#byTime.page(query, ({ after, rows }) =>
      list({ before: after && { at: after[0], id: after[1] }, rows }),
    );
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
