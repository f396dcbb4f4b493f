import { finished } from 'node:stream';
import type { Readable } from 'node:stream';
import pg from 'pg';
import type { QueryResultRow } from 'pg';
import { traced } from '../observability/tracing.ts';
import { CopyOut, Pace } from './copy-out.ts';
import { DATABASE_SETTINGS } from './settings.ts';

// Wh and row numbers are 64 bit in the database and far below 2^53 in life.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

/** What a store function talks to: the pool, or the one connection of an open transaction. */
export interface Db {
  query<Row extends QueryResultRow>(query: pg.QueryConfig): Promise<pg.QueryResult<Row>>;
}

export interface Database extends Db {
  /** Runs `work` in one transaction: all of it is committed, or nothing. */
  transaction<T>(work: (db: Db) => Promise<T>, limits?: TransactionLimits): Promise<T>;
  /**
   * The rows of a query as CSV, as its reader takes them; undefined while as many are being read as may be. The connections
   * are not those of the pool: a slow reader makes nobody else wait. What takes too long is cut with ExportTooLong.
   */
  exportCsv(query: pg.QueryConfig): Promise<Readable | undefined>;
  close(): Promise<void>;
  /** Connections that are open, those of them that nobody uses, and requests that wait for one. */
  readonly pool: { total: number; idle: number; waiting: number };
}

/** Limits of a transaction that is not like others. */
export interface TransactionLimits {
  /** How long a lock is waited for: others wait behind who waits for a lock on a whole table. */
  lockMs?: number;
  /** How long a statement may take: more for work on whole tables. */
  statementMs?: number;
}

/** An export was cut, as it took longer than it may. */
export class ExportTooLong extends Error {
  override name = 'ExportTooLong';
}

export interface DatabaseOptions {
  url: string;
  poolSize: number;
  /** How long an export may take; as EVANDER_EXPORT_MINUTES unless told. */
  exportMs?: number | undefined;
  onError(error: Error): void;
  /** Called for each query that fails. */
  onQueryError?(): void;
}

const EXPORTS = 4;
const EXPORT_MS = DATABASE_SETTINGS.exportMinutes.default * 60_000;
const CONNECT_MS = 10_000;
/** The server gives up first and says why; what waits for a lock gives way before, and what holds one and does nothing loses it. */
const STATEMENT_MS = 25_000;
const LOCK_MS = 10_000;
const IDLE_IN_TRANSACTION_MS = 60_000;
/** For a server that hangs: callers are asked again (DESIGN.md, invariant 1). */
const HANGS_AFTER_MS = 5000;

export function openDatabase(options: DatabaseOptions): Database {
  const { url, poolSize, exportMs = EXPORT_MS, onError, onQueryError } = options;
  const common = { connectionString: url, connectionTimeoutMillis: CONNECT_MS, keepAlive: true };
  const pool = new pg.Pool({
    ...common,
    max: poolSize,
    query_timeout: STATEMENT_MS + HANGS_AFTER_MS,
    application_name: 'evander',
    onConnect: preparing(STATEMENT_MS),
  });
  const exports = new pg.Pool({
    ...common,
    max: EXPORTS,
    application_name: 'evander export',
    onConnect: preparing(exportMs),
  });
  const pace = new Pace();
  for (const each of [pool, exports]) surviveLosses(each, onError);
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
    transaction: (work, limits) => inTransaction(pool, (db) => work(watched(db)), limits),
    exportCsv: (query) => exportFrom(exports, query, { exportMs, pace }),
    close: async () => {
      await Promise.all([pool.end(), exports.end()]);
    },
    get pool() {
      return { total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount };
    },
  };
}

// By a statement, as proxies such as PgBouncer refuse connections that ask for it at their start. To compile a query takes a list longer
// than to read its page.
function preparing(statementMs: number): (client: pg.ClientBase) => void {
  const text =
    `SET statement_timeout = ${statementMs}; SET lock_timeout = ${LOCK_MS}; ` +
    `SET idle_in_transaction_session_timeout = ${IDLE_IN_TRANSACTION_MS}; SET jit = off`;
  // The pool waits for the promise; its types do not say so.
  return (client): unknown => client.query(timed(text, CONNECT_MS));
}

// node-postgres knows the time limit of a single query; its types do not.
function timed(text: string, ms: number): pg.QueryConfig {
  return { text, query_timeout: ms } as pg.QueryConfig;
}

// A connection that breaks is replaced by the pool; without listeners it would end the process. While it is idle the pool tells of it,
// in use its user is told by the query that is under way, or by the next. pool.end() does not wait until the
// server has closed its connections: if the server stops at that moment, nothing is lost.
function surviveLosses(pool: pg.Pool, onError: (error: Error) => void): void {
  pool.on('error', (error) => {
    if (!pool.ending) onError(error);
  });
  pool.on('connect', (client) => client.on('error', () => {}));
}

async function inTransaction<T>(
  pool: pg.Pool,
  work: (db: Db) => Promise<T>,
  { lockMs = LOCK_MS, statementMs = STATEMENT_MS }: TransactionLimits = {},
): Promise<T> {
  const client = await pool.connect();
  const query: Db['query'] = (config) =>
    client.query({ ...config, query_timeout: statementMs + HANGS_AFTER_MS } as pg.QueryConfig);
  let broken: Error | undefined;
  try {
    await client.query('BEGIN');
    if (lockMs !== LOCK_MS) await client.query(`SET LOCAL lock_timeout = ${lockMs}`);
    if (statementMs !== STATEMENT_MS) await client.query(`SET LOCAL statement_timeout = ${statementMs}`);
    const result = await work({ query });
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch((cause: unknown) => (broken = cause as Error));
    throw error;
  } finally {
    client.release(broken);
  }
}

async function exportFrom(
  pool: pg.Pool,
  query: pg.QueryConfig,
  { exportMs, pace }: { exportMs: number; pace: Pace },
): Promise<Readable | undefined> {
  if (pool.totalCount - pool.idleCount + pool.waitingCount >= EXPORTS) return undefined;
  const copy = new CopyOut(query, pace);
  const client = await pool.connect();
  client.query(copy);
  // The server does not look at its own clock while it waits for a reader.
  const timer = setTimeout(
    () => copy.destroy(new ExportTooLong(`the export was cut, as it took longer than ${exportMs / 1000} s`)),
    exportMs,
  );
  finished(copy, (error) => {
    clearTimeout(timer);
    // What is left in the middle is given up with its connection: to have it closed in order would be to read the rest.
    client.release(error ?? undefined);
  });
  return copy;
}

/**
 * A query that is planned again for the values at hand: for lists, where a plan that suits any mixture of filters suits none.
 * `$1::text IS NULL OR …` costs nothing then.
 */
export function search(text: string): (values: unknown[]) => pg.QueryConfig {
  return (values) => ({ text, values });
}

/** A prepared statement: parsed once per connection, found again by its name. */
export function statement(name: string, text: string): (values?: unknown[]) => pg.QueryConfig {
  return (values = []) => ({ name, text, values });
}
