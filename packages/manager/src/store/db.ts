import pg from 'pg';
import type { QueryResultRow } from 'pg';
import QueryStream from 'pg-query-stream';
import { finished } from 'node:stream';
import type { Readable } from 'node:stream';
import { traced } from '../tracing.ts';

// Wh and row numbers are 64 bit in the database and far below 2^53 in life.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

/** What a store function talks to: the pool, or the one connection of an open transaction. */
export interface Db {
  query<Row extends QueryResultRow>(query: pg.QueryConfig): Promise<pg.QueryResult<Row>>;
}

export interface Database extends Db {
  /** Runs `work` in one transaction: all of it is committed, or nothing. */
  transaction<T>(work: (db: Db) => Promise<T>): Promise<T>;
  /**
   * The rows of a query as its reader takes them, a few at a time; undefined while as many are being read as may be. The connections
   * are not those of the pool: a slow reader makes nobody else wait.
   */
  stream(query: pg.QueryConfig): Promise<Readable | undefined>;
  close(): Promise<void>;
  /** Connections that are open, those of them that nobody uses, and requests that wait for one. */
  readonly pool: { total: number; idle: number; waiting: number };
}

export interface DatabaseOptions {
  url: string;
  poolSize: number;
  onError(error: Error): void;
  /** Called for each query that fails. */
  onQueryError?(): void;
}

const STREAMS = 4;
const STREAM_ROWS = 500;

export function openDatabase({ url, poolSize, onError, onQueryError }: DatabaseOptions): Database {
  const pool = new pg.Pool({
    connectionString: url,
    max: poolSize,
    connectionTimeoutMillis: 10_000,
    // A database that hangs must not hold its callers for ever: they are asked again (DESIGN.md, invariant 1).
    query_timeout: 30_000,
    keepAlive: true,
    application_name: 'evander',
  });
  const streams = new pg.Pool({
    connectionString: url,
    max: STREAMS,
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    application_name: 'evander export',
  });
  for (const each of [pool, streams]) surviveLosses(each, onError);
  const watched = (db: Db): Db => ({
    query: (query) =>
      traced('client', { name: query.name ?? 'search', 'db.system.name': 'postgresql' }, async () => {
        try {
          return await db.query(query);
        } catch (error) {
          onQueryError?.();
          throw error;
        }
      }),
  });
  return {
    ...watched(pool),
    transaction: (work) => inTransaction(pool, (db) => work(watched(db))),
    stream: (query) => streamFrom(streams, query),
    close: async () => {
      await Promise.all([pool.end(), streams.end()]);
    },
    get pool() {
      return { total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount };
    },
  };
}

// A connection that breaks is replaced by the pool; without listeners it would end the process. While it is idle the pool tells of it,
// in use its user is told by the query that is under way, or by the next.
function surviveLosses(pool: pg.Pool, onError: (error: Error) => void): void {
  pool.on('error', onError);
  pool.on('connect', (client) => client.on('error', () => {}));
}

async function inTransaction<T>(pool: pg.Pool, work: (db: Db) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query('BEGIN');
    const result = await work({ query: (query) => client.query(query) });
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch((cause: unknown) => (broken = cause as Error));
    throw error;
  } finally {
    client.release(broken);
  }
}

async function streamFrom(pool: pg.Pool, { text, values }: pg.QueryConfig): Promise<Readable | undefined> {
  if (pool.totalCount - pool.idleCount + pool.waitingCount >= STREAMS) return undefined;
  const client = await pool.connect();
  const rows = client.query(new Rows(text, values ?? [], { batchSize: STREAM_ROWS }));
  finished(rows, (error) => client.release(error ?? undefined));
  return rows;
}

// What is left in the middle is given up with its connection. To have it closed is to wait for an answer, which one that is broken
// does not give.
class Rows extends QueryStream {
  override _destroy(error: Error, done: (error: Error) => void): void {
    done(error);
  }
}

/**
 * A query that is planned anew for the values at hand: for lists, where a plan that suits any mixture of filters suits none.
 * `$1::text IS NULL OR …` costs nothing then.
 */
export function search(text: string): (values: unknown[]) => pg.QueryConfig {
  return (values) => ({ text, values });
}

/** A prepared statement: parsed once per connection, found again by its name. */
export function statement(name: string, text: string): (values?: unknown[]) => pg.QueryConfig {
  return (values = []) => ({ name, text, values });
}
