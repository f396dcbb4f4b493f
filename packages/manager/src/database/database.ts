import { finished } from 'node:stream';
import type { Readable } from 'node:stream';
import pg from 'pg';
import type { QueryResultRow } from 'pg';
import { traced } from '../observability/tracing.ts';
import { CopyOut, Pace } from './copy-out.ts';
import { DATABASE_SETTINGS } from './settings.ts';

// Wh and row numbers are 64 bit in the database, but in practice far below 2^53.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

/** Runs the queries of store functions: on the pool, or on the connection of an open transaction. */
export interface Db {
  query<Row extends QueryResultRow>(query: pg.QueryConfig): Promise<pg.QueryResult<Row>>;
}

export interface Database extends Db {
  /** Runs `work` in one transaction, and commits all of it or nothing. */
  transaction<T>(work: (db: Db) => Promise<T>, limits?: TransactionLimits): Promise<T>;
  /**
   * Streams the rows of a query as CSV; undefined if the maximum number of exports is already running. Exports have their own
   * connections, so a slow reader blocks nobody else. An export that takes too long fails with ExportTooLong.
   */
  exportCsv(query: pg.QueryConfig): Promise<Readable | undefined>;
  close(): Promise<void>;
  /** Number of open connections, of idle ones, and of requests that wait for one. */
  readonly pool: { total: number; idle: number; waiting: number };
}

/** Limits of a transaction that differ from the defaults. */
export interface TransactionLimits {
  /** Maximum wait for a lock: others queue behind a transaction that waits for a table lock. */
  lockMs?: number;
  /** Maximum duration of a statement; longer for work on whole tables. */
  statementMs?: number;
}

/** An export was aborted because it took too long. */
export class ExportTooLong extends Error {
  override name = 'ExportTooLong';
}

export interface DatabaseOptions {
  url: string;
  poolSize: number;
  /** Maximum duration of an export; default: that of EVANDER_EXPORT_MINUTES. */
  exportMs?: number | undefined;
  onError(error: Error): void;
  /** Called for each query that fails. */
  onQueryError?(): void;
}

const MAX_EXPORTS = 4;
const EXPORT_MS = DATABASE_SETTINGS.exportMinutes.default * 60_000;
const CONNECT_MS = 10_000;
/** Server-side limits, shorter than the client's so that errors have a reason. Lock waits end first; idle transactions lose their locks. */
const STATEMENT_MS = 25_000;
const LOCK_MS = 10_000;
const IDLE_IN_TRANSACTION_MS = 60_000;
/** Added for the client-side limit, for a server that hangs: stations' messages are redelivered (DESIGN.md, invariant 1). */
const CLIENT_MARGIN_MS = 5000;

export function openDatabase(options: DatabaseOptions): Database {
  const { url, poolSize, exportMs = EXPORT_MS, onError, onQueryError } = options;
  const common = { connectionString: url, connectionTimeoutMillis: CONNECT_MS, keepAlive: true };
  const pool = new pg.Pool({
    ...common,
    max: poolSize,
    query_timeout: STATEMENT_MS + CLIENT_MARGIN_MS,
    application_name: 'evander',
    onConnect: preparing(STATEMENT_MS),
  });
  const exports = new pg.Pool({
    ...common,
    max: MAX_EXPORTS,
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

// With SET, because proxies such as PgBouncer reject these as startup parameters. JIT is off: compiling a list query takes longer than
// reading its page.
function preparing(statementMs: number): (client: pg.ClientBase) => void {
  const text =
    `SET statement_timeout = ${statementMs}; SET lock_timeout = ${LOCK_MS}; ` +
    `SET idle_in_transaction_session_timeout = ${IDLE_IN_TRANSACTION_MS}; SET jit = off`;
  // The pool awaits the promise, although its types do not say so.
  return (client): unknown => client.query(timed(text, CONNECT_MS));
}

// node-postgres supports a timeout per query, but its types do not.
function timed(text: string, ms: number): pg.QueryConfig {
  return { text, query_timeout: ms } as pg.QueryConfig;
}

// The pool replaces broken connections; without listeners their errors would end the process. For idle connections the pool emits the
// error; for used ones the current or next query rejects. pool.end() does not wait until the server has closed its connections: errors
// after it mean no loss.
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
    client.query({ ...config, query_timeout: statementMs + CLIENT_MARGIN_MS } as pg.QueryConfig);
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
  if (pool.totalCount - pool.idleCount + pool.waitingCount >= MAX_EXPORTS) return undefined;
  const copy = new CopyOut(query, pace);
  const client = await pool.connect();
  client.query(copy);
  // The server does not check its statement timeout while it waits for a reader.
  const timer = setTimeout(
    () =>
      copy.destroy(
        new ExportTooLong(`the export was aborted because it took longer than ${exportMs / 1000} s`),
      ),
    exportMs,
  );
  finished(copy, (error) => {
    clearTimeout(timer);
    // An aborted export loses its connection: ending it in order would mean reading all remaining rows.
    client.release(error ?? undefined);
  });
  return copy;
}

/**
 * An unnamed query, planned for its actual values. For lists, where one plan cannot suit all combinations of filters;
 * `$1::text IS NULL OR …` then costs nothing.
 */
export function search(text: string): (values: unknown[]) => pg.QueryConfig {
  return (values) => ({ text, values });
}

/** A prepared statement: parsed once per connection, identified by its name. */
export function statement(name: string, text: string): (values?: unknown[]) => pg.QueryConfig {
  return (values = []) => ({ name, text, values });
}
