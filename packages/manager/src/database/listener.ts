import pg from 'pg';

export interface ListenerOptions {
  url: string;
  channel: string;
  /** Called with each payload; with undefined after each (re)connection, because notifications may have been missed. */
  onNotify(payload: string | undefined): void;
  /** Called when connecting fails or the connection breaks; it is retried. */
  onError(error: Error): void;
}

const RETRY_MS = 1000;

/** A dedicated connection that listens on a PostgreSQL channel and reconnects automatically. */
export class Listener {
  readonly #options: ListenerOptions;
  #client: pg.Client | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: ListenerOptions) {
    this.#options = options;
  }

  /** Connects. Never rejects: callers also poll. */
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
