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

/** The response of a list. */
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

/** Types of values in a cursor. */
const KINDS = {
  text: (value: unknown) => typeof value === 'string' && !value.includes('\0'),
  integer: (value: unknown) => Number.isSafeInteger(value),
  time: (value: unknown) => typeof value === 'string' && !Number.isNaN(Date.parse(value)),
  uuid: (value: unknown) =>
    typeof value === 'string' && /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/.test(value),
};
type Kind = keyof typeof KINDS;
type Key<K extends readonly Kind[]> = { -readonly [I in keyof K]: K[I] extends 'integer' ? number : string };

/** Pages of a list. The cursor holds the values that the rows are ordered by, so new rows cause no gaps or duplicates. */
export class Pager<Row, const K extends readonly Kind[]> {
  readonly #kinds: K;
  readonly #keyOf: (row: Row) => Key<K>;

  constructor(kinds: K, keyOf: (row: Row) => Key<K>) {
    this.#kinds = kinds;
    this.#keyOf = keyOf;
  }

  /** Gets the page after the cursor from `list`, plus one row to know whether there is another page. */
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
      'the cursor is not valid for this list; send `nextCursor` of the previous page, or none',
      {
        field: 'cursor',
      },
    );
  }
}

/** Position in a list that is ordered by time and id, or by id alone. */
export interface PlaceInPeriod {
  at: string | null;
  id: number;
}

/**
 * Pages of a list of rows with an id and a time, newest first. The order is by id, or by time if a period is given, so that rows after
 * the period are not read.
 */
export class PeriodPager<Row> {
  readonly #byId: Pager<Row, readonly ['integer']>;
  readonly #byTime: Pager<Row, readonly ['time', 'integer']>;

  constructor(keyOf: (row: Row) => { at: Date; id: number }) {
    this.#byId = new Pager(['integer'], (row) => [keyOf(row).id]);
    this.#byTime = new Pager(['time', 'integer'], (row) => [keyOf(row).at.toISOString(), keyOf(row).id]);
  }

  /** Like Pager.page; throws Problem for a cursor of the other order. */
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
