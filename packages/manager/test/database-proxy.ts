import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/** A way to PostgreSQL that can break at the worst moment. */
export interface DatabaseProxy {
  url: string;
  /** At the next COMMIT all connections break, before or after its answer has passed, and no new one is let through. */
  failAtCommit(when: { isTold: boolean }): void;
  /** All connections break now, and no new one is let through. */
  breakAll(): void;
  mend(): void;
  close(): Promise<void>;
}

/** PostgreSQL's CommandComplete of a COMMIT (protocol 3, message C). */
const COMMITTED = Buffer.from('COMMIT\0');

export async function openDatabaseProxy(url: string): Promise<DatabaseProxy> {
  const target = new URL(url);
  let failing: { isTold: boolean } | undefined;
  let isAway = false;
  const sockets = new Set<Socket>();
  const breakAll = (): void => {
    isAway = true;
    failing = undefined;
    for (const socket of sockets) socket.destroy();
  };
  const server = createServer((near) => {
    if (isAway) {
      near.destroy();
      return;
    }
    const far = connect(Number(target.port || 5432), target.hostname);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far);
    far.on('data', (chunk) => {
      const isCommit = failing !== undefined && chunk.includes(COMMITTED);
      if (isCommit && failing?.isTold === false) {
        breakAll();
        return;
      }
      // The socket is closed once the answer is written.
      near.write(chunk, () => {
        if (isCommit) breakAll();
      });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const via = new URL(url);
  via.hostname = '127.0.0.1';
  via.port = String((server.address() as AddressInfo).port);
  return {
    url: via.href,
    failAtCommit: (when) => (failing = when),
    breakAll,
    mend: () => (isAway = false),
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
