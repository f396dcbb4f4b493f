import type { Connection, Presence } from '@evander/broker';

const FLUSH_MS = 20;
/** About 35 kB. */
const MAX_CONNECTIONS = 200;

type Kind = 'connected' | 'disconnected';

/** Batches connects and disconnects for a moment, in order, so that thousands of reconnecting stations need only a few packets. */
export class ConnectionNews {
  readonly #publish: (presence: Presence) => void;
  #waiting: { kind: Kind; connections: Connection[] }[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(publish: (presence: Presence) => void) {
    this.#publish = publish;
  }

  add(kind: Kind, connection: Connection): void {
    const last = this.#waiting.at(-1);
    if (last?.kind === kind && last.connections.length < MAX_CONNECTIONS) last.connections.push(connection);
    else this.#waiting.push({ kind, connections: [connection] });
    this.#timer ??= setTimeout(() => this.flush(), FLUSH_MS);
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const presence of this.#waiting.splice(0)) this.#publish(presence);
  }
}
