import { Aedes } from 'aedes';
import type { AedesPublishPacket, Client } from 'aedes';
import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/** MQTT 3.1.1 code of a rejected CONNECT. */
const NOT_AUTHORIZED = 5;

export interface EmbeddedBroker {
  url: string;
  close(): Promise<void>;
}

export interface EmbeddedBrokerOptions {
  /** 0 picks a free port. */
  port?: number;
  host?: string;
  /** Required from clients; unset: no authentication. */
  password?: string;
}

/**
 * Starts an in-memory MQTT 3.1.1 broker in this process. Rejects when the port is taken. Aedes grants `$share` subscriptions but delivers
 * nothing on them, so `SharedSubscriptions` implements them.
 */
export async function startEmbeddedBroker(options: EmbeddedBrokerOptions = {}): Promise<EmbeddedBroker> {
  const { port = 0, host = '127.0.0.1', password } = options;
  const shared = new SharedSubscriptions();
  const broker = await Aedes.createBroker({
    authenticate: (_client, _user, shown, done) => {
      if (password === undefined || isSame(shown ?? Buffer.alloc(0), password)) done(null, true);
      else done(Object.assign(new Error('wrong password'), { returnCode: NOT_AUTHORIZED }), false);
    },
    authorizeSubscribe: (client, subscription, done) => {
      const topic = client ? shared.join(client, subscription.topic) : subscription.topic;
      done(null, { ...subscription, topic });
    },
    authorizeForward: (client, packet) => (shared.mayDeliver(client, packet) ? packet : null),
  });
  broker.on('clientDisconnect', (client) => shared.leave(client));

  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    socket.setNoDelay(true);
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    broker.handle(socket);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address() as AddressInfo;
  return {
    url: `mqtt://${password === undefined ? '' : `evander:${encodeURIComponent(password)}@`}${host}:${address.port}`,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await new Promise<void>((resolve) => broker.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

// Hashes have equal length, so the comparison takes constant time for any input.
function isSame(shown: Buffer, password: string): boolean {
  const [one, other] = [shown, Buffer.from(password)].map((bytes) =>
    createHash('sha256').update(bytes).digest(),
  ) as [Buffer, Buffer];
  return timingSafeEqual(one, other);
}

interface Group {
  matches: (topic: string) => boolean;
  members: Client[];
}

/** Delivers each message that matches a shared filter to one member of its group, in turn. */
class SharedSubscriptions {
  readonly #groups = new Map<string, Group>();

  /** Adds a client to the group of `$share/<group>/<filter>`; returns the filter to subscribe. */
  join(client: Client, topic: string): string {
    const [, name, filter] = /^\$share\/([^/]+)\/(.+)$/.exec(topic) ?? [];
    if (name === undefined || filter === undefined) return topic;
    const group = this.#groups.get(topic) ?? { matches: matcherOf(filter), members: [] };
    this.#groups.set(topic, group);
    if (!group.members.includes(client)) group.members.push(client);
    return filter;
  }

  leave(client: Client): void {
    for (const [topic, group] of this.#groups) {
      group.members = group.members.filter((member) => member !== client);
      if (group.members.length === 0) this.#groups.delete(topic);
    }
  }

  mayDeliver(client: Client, packet: AedesPublishPacket): boolean {
    for (const { matches, members } of this.#groups.values()) {
      if (!members.includes(client) || !matches(packet.topic)) continue;
      // Aedes asks for each member separately; the packet's number yields the same choice for all of them.
      // The number is hashed because calls and answers alternate: every call may have an even number.
      const number = (packet as { brokerCounter?: number }).brokerCounter ?? 0;
      const turn = Math.imul(number, 0x9e3779b1) >>> 16;
      return members[turn % members.length] === client;
    }
    return true;
  }
}

function matcherOf(filter: string): (topic: string) => boolean {
  const levels = filter.split('/').map((level) => {
    if (level === '+') return '[^/]*';
    return level.replace(/[.*?^${}()|[\]\\]/g, '\\$&');
  });
  const last = levels.at(-1);
  const pattern = last === '#' ? `${levels.slice(0, -1).join('/')}(/.*)?` : levels.join('/');
  const expression = new RegExp(`^${pattern}$`, 's');
  return (topic) => expression.test(topic);
}
