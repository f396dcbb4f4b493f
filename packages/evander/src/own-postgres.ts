import { OperationalError } from '@evander/process';
import type { Log, Running } from '@evander/process';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { startEmbeddedPostgres } from './embedded-postgres.ts';
import type { EmbeddedPostgres } from './embedded-postgres.ts';

/** The advisory lock of the process that uses a data directory: any number that Evander does not lock for anything else. */
const LOCK = 1_163_284_301;
// The connection of a process that has just been killed may still exist.
const LOCK_TIMEOUT_MS = 2000;
const RESTART_DELAYS_MS = [0, 500, 1000, 2000, 4000, 8000];
/** After this uptime PostgreSQL gets the full number of restart attempts again. */
const STABLE_MS = 60_000;

/** The PostgreSQL of a data directory, used only by this process and restarted when it dies. */
export interface OwnPostgres extends Running {
  url: string;
  /** Rejects with an OperationalError when PostgreSQL has died and cannot be restarted. */
  readonly failed: Promise<never>;
}

/** Starts PostgreSQL in the data directory. Rejects with an OperationalError when another process uses the directory. */
export async function startOwnPostgres(
  dataDir: string,
  log: Log,
  restartDelaysMs = RESTART_DELAYS_MS,
): Promise<OwnPostgres> {
  const keeper = new PostgresKeeper(dataDir, log, restartDelaysMs);
  return { url: await keeper.start(), failed: keeper.failed, close: () => keeper.close() };
}

/** Holds a connection to PostgreSQL: it carries the lock, and its end shows that PostgreSQL has died. */
class PostgresKeeper {
  readonly failed: Promise<never>;
  readonly #dataDir: string;
  readonly #log: Log;
  readonly #restartDelaysMs: readonly number[];
  readonly #closing = new AbortController();
  #fail: (error: Error) => void = () => {};
  #server: EmbeddedPostgres | undefined;
  #connection: pg.Client | undefined;
  #startedAtMs = 0;
  #attempts = 0;
  #reviving: Promise<void> | undefined;

  constructor(dataDir: string, log: Log, restartDelaysMs: readonly number[]) {
    this.#dataDir = dataDir;
    this.#log = log;
    this.#restartDelaysMs = restartDelaysMs;
    this.failed = new Promise((_, reject) => (this.#fail = reject));
    // Callers that do not wait for it notice the loss by failing queries.
    this.failed.catch(() => {});
  }

  /** Resolves with the URL, which stays the same across restarts. */
  async start(): Promise<string> {
    const port = this.#server === undefined ? undefined : Number(new URL(this.#server.url).port);
    const dataDir = join(this.#dataDir, 'postgres');
    const server = await startEmbeddedPostgres({ dataDir, port, log: this.#log });
    try {
      this.#connection = await this.#lock(server.url);
    } catch (error) {
      // If another process has the lock, that process must stop the server.
      if (!(error instanceof OperationalError)) await server.stop();
      throw error;
    }
    this.#server = server;
    this.#startedAtMs = performance.now();
    return server.url;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#reviving;
    await this.#connection?.end();
    await this.#server?.stop();
  }

  async #lock(url: string): Promise<pg.Client> {
    const connection = new pg.Client({
      connectionString: url,
      application_name: `evander start, process ${process.pid}`,
      keepAlive: true,
    });
    connection.on('error', (error) => this.#log.debug({ err: error }, 'connection to PostgreSQL lost'));
    await connection.connect();
    try {
      await this.#takeLock(connection);
    } catch (error) {
      await connection.end();
      throw error;
    }
    connection.once('end', () => this.#onEnd());
    return connection;
  }

  async #takeLock(connection: pg.Client): Promise<void> {
    const deadline = performance.now() + LOCK_TIMEOUT_MS;
    for (;;) {
      const { rows } = await connection.query<{ taken: boolean }>(
        `SELECT pg_try_advisory_lock(${LOCK}) AS taken`,
      );
      if (rows[0]?.taken) return;
      if (performance.now() > deadline) break;
      await delay(100);
    }
    const { rows } = await connection.query<{ name: string }>(
      `SELECT application_name AS name FROM pg_locks JOIN pg_stat_activity USING (pid)
       WHERE locktype = 'advisory' AND granted AND objid = ${LOCK} LIMIT 1`,
    );
    throw new OperationalError(
      `the data directory ${this.#dataDir} is in use by another process (${rows[0]?.name ?? 'which has just ended'}): ` +
        'stop that one, or set EVANDER_DATA_DIR to another directory',
    );
  }

  #onEnd(): void {
    if (this.#closing.signal.aborted) return;
    if (performance.now() - this.#startedAtMs > STABLE_MS) this.#attempts = 0;
    this.#log.error('embedded PostgreSQL has ended; restarting it');
    this.#reviving = this.#revive();
  }

  async #revive(): Promise<void> {
    const { signal } = this.#closing;
    let cause: unknown;
    while (this.#attempts < this.#restartDelaysMs.length) {
      const delayMs = this.#restartDelaysMs[this.#attempts++];
      await delay(delayMs, undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
      try {
        await this.start();
        this.#log.warn({ attempt: this.#attempts }, 'embedded PostgreSQL is running again');
        return;
      } catch (error) {
        cause = error;
        this.#log.warn(
          { attempt: this.#attempts, reason: (error as Error).message },
          'embedded PostgreSQL could not be restarted',
        );
      }
    }
    const reason = cause instanceof Error ? cause.message : 'it ended soon after every start';
    this.#fail(
      new OperationalError(`embedded PostgreSQL has ended and cannot be kept running: ${reason}`, { cause }),
    );
  }
}
