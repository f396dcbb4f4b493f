import pg from 'pg';

export interface ListenerOptions {
  url: string;
  channel: string;
  /** What was told on the channel; undefined after each (re)connection, as something may have been missed. */
  onNotify(payload: string | undefined): void;
  /** The connection could not be had, or broke; it is tried again. */
  onError(error: Error): void;
}

const RETRY_MS = 1000;

/** A connection of its own that listens on a channel of PostgreSQL, and comes back by itself. */
export class Listener {
  readonly #options: ListenerOptions;
  #client: pg.Client | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: ListenerOptions) {
    this.#options = options;
  }

  /** Never rejects: without it there is still the poll. */
  async start(): Promise<void> {
    const { url, channel, onNotify } = this.#options;
    const client = new pg.Client({
      connectionString: url,
      keepAlive: true,
      connectionTimeoutMillis: 10_000,
      application_name: 'evander listener',
    });
    this.#client = client;
    client.on('error', (error: Error) => this.#onLost(client, error));
    client.on('end', () => this.#onLost(client, new Error('the connection has ended')));
    client.on('notification', ({ payload }) => onNotify(payload));
    try {
      await client.connect();
      await client.query(`LISTEN ${pg.escapeIdentifier(channel)}`);
      onNotify(undefined);
    } catch (error) {
      this.#onLost(client, error as Error);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#client?.end().catch(() => undefined);
  }

  #onLost(client: pg.Client, error: Error): void {
    if (this.#closed || this.#client !== client) return;
    this.#client = undefined;
    this.#options.onError(error);
    client.end().catch(() => undefined);
    this.#timer = setTimeout(() => void this.start(), RETRY_MS);
  }
}
