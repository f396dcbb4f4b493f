import type { Connection, Presence } from '@evander/broker';

const FLUSH_MS = 20;
/** Some 35 kB. */
const MAX_CONNECTIONS = 200;

type Kind = 'connected' | 'disconnected';

/**
 * Gathers for a moment what connects and disconnects, so that thousands of stations that come back at once are told of in a few packets,
 * in the order in which it happened.
 */
export class ConnectionNews {
  readonly #tell: (presence: Presence) => void;
  #waiting: { kind: Kind; connections: Connection[] }[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(tell: (presence: Presence) => void) {
    this.#tell = tell;
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
    for (const presence of this.#waiting.splice(0)) this.#tell(presence);
  }
}
