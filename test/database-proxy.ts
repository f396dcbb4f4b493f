import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

/** PostgreSQL's CommandComplete of a COMMIT (protocol 3, message C). */
const COMMITTED = Buffer.from('COMMIT\0');

/** A proxy to a database that can fail: connections are refused as by a stopped server, or left without an answer. */
export class DatabaseProxy {
  readonly #server: Server;
  readonly #database: URL;
  readonly #sockets = new Set<Socket>();
  #mode: 'passes' | 'refuses' | 'hangs' = 'passes';
  readonly #held: (() => void)[] = [];
  #failing: { isTold: boolean } | undefined;

  private constructor(databaseUrl: string) {
    this.#database = new URL(databaseUrl);
    this.#server = createServer((socket) => this.#onConnection(socket));
  }

  static async open(databaseUrl: string): Promise<DatabaseProxy> {
    const proxy = new DatabaseProxy(databaseUrl);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  /** The URL of the database through the proxy. */
  get url(): string {
    const url = new URL(this.#database);
    url.host = `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return url.href;
  }

  /** Closes all connections and each new one. */
  refuse(): void {
    this.#mode = 'refuses';
    this.#failing = undefined;
    for (const socket of this.#sockets) socket.destroy();
  }

  /** At the next COMMIT closes all connections, before or after its answer has passed, and each new one. */
  failAtCommit(when: { isTold: boolean }): void {
    this.#failing = when;
  }

  /** Forwards nothing in either direction and closes nothing. */
  hang(): void {
    this.#mode = 'hangs';
    for (const socket of this.#sockets) socket.pause();
  }

  /** Forwards again, including held data. */
  pass(): void {
    this.#mode = 'passes';
    for (const go of this.#held.splice(0)) go();
    for (const socket of this.#sockets) socket.resume();
  }

  async close(): Promise<void> {
    this.refuse();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #onConnection(near: Socket): void {
    this.#keep(near);
    if (this.#mode === 'refuses') near.destroy();
    else if (this.#mode === 'hangs') this.#held.push(() => this.#join(near));
    else this.#join(near);
  }

  #join(near: Socket): void {
    if (near.destroyed) return;
    const { hostname, port } = this.#database;
    const far = connect(Number(port || 5432), hostname);
    this.#keep(far);
    near.on('data', (chunk) => far.write(chunk));
    far.on('data', (chunk: Buffer) => this.#answer(near, chunk));
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
  }

  #answer(near: Socket, chunk: Buffer): void {
    const failing = chunk.includes(COMMITTED) ? this.#failing : undefined;
    // If the answer is forwarded, the sockets are closed after it is written.
    if (failing?.isTold === false) this.refuse();
    else near.write(chunk, () => failing && this.refuse());
  }

  #keep(socket: Socket): void {
    socket.setNoDelay(true);
    this.#sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
  }
}
