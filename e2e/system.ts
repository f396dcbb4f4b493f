import { mkdirSync, createWriteStream, readFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { GenericContainer, getContainerRuntimeClient, Network } from 'testcontainers';
import type { StartedNetwork, StartedTestContainer } from 'testcontainers';

const ROOT = new URL('../', import.meta.url);
const OUT = new URL('../.ci/out/e2e/', import.meta.url);
const secret = (): string => randomBytes(24).toString('hex');

/** A container that can be harmed and helped up again under the same name, address and ports. */
export interface Part {
  name: string;
  /** kill -9. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** SIGTERM; resolves when it has ended, with its exit code. */
  stop(): Promise<number>;
  /** Frozen: it holds its connections and answers nothing. */
  pause(): Promise<void>;
  unpause(): Promise<void>;
  /** Off a network, and on it again. */
  leave(network: 'road' | 'edge'): Promise<void>;
  join(network: 'road' | 'edge'): Promise<void>;
  /** Bytes of memory that its processes hold. */
  memory(): Promise<number>;
  exec(command: string[]): Promise<string>;
  /** Port on this machine of one of its own. */
  port(inside: number): number;
}

export interface SystemOptions {
  /** Names the logs. */
  name: string;
  managers?: number;
  gateways?: number;
}

/** Two images of ours with a real PostgreSQL, a real Mosquitto and a load balancer, each in its container. */
export class System {
  readonly adminKey = `evk_${secret()}`;
  readonly managers: Part[] = [];
  readonly gateways: Part[] = [];
  postgres!: Part;
  broker!: Part;
  balancer!: Part;
  readonly #options: SystemOptions;
  readonly #secret = secret();
  readonly #gatewaySecret: string;
  readonly #passwords = { postgres: secret(), gateway: secret(), manager: secret() };
  readonly #networks = new Map<string, StartedNetwork>();
  readonly #started: StartedTestContainer[] = [];
  #pool!: pg.Pool;

  constructor(options: SystemOptions) {
    this.#options = options;
    const env = { ...process.env, EVANDER_SECRET: this.#secret };
    const script = fileURLToPath(new URL('deploy/gateway-secret', ROOT));
    this.#gatewaySecret = execFileSync('sh', [script], { env }).toString().trim();
  }

  /** Where stations connect; the station's id is to be added. */
  get url(): string {
    return `ws://127.0.0.1:${this.balancer.port(9310)}/ws`;
  }

  /** Starts everything; resolves once all of it is ready. */
  async start(): Promise<this> {
    const { managers = 2, gateways = 2 } = this.#options;
    await removeLeftovers();
    for (const name of ['road', 'edge']) this.#networks.set(name, await new Network().start());
    [this.postgres, this.broker] = await Promise.all([this.#startPostgres(), this.#startBroker()]);
    this.#pool = new pg.Pool({
      connectionString: this.#databaseUrl('127.0.0.1', this.postgres.port(5432)),
      max: 2,
    });
    this.#pool.on('error', () => undefined);
    await eventually(() => this.#pool.query('SELECT 1'));
    for (let i = 0; i < managers; i++) this.managers.push(await this.#startManager(i));
    await Promise.all(this.managers.map((part) => this.ready(part)));
    for (let i = 0; i < gateways; i++) this.gateways.push(await this.#startGateway(i));
    await Promise.all(this.gateways.map((part) => this.ready(part)));
    this.balancer = await this.#startBalancer();
    await eventually(async () => {
      const response = await fetch(`http://127.0.0.1:${this.balancer.port(9310)}/`);
      await response.body?.cancel();
    });
    return this;
  }

  /** Resolves once a gateway or a manager serves. */
  async ready(part: Part): Promise<void> {
    const port = part.port(part.name.startsWith('gateway') ? 9312 : 9410);
    await eventually(async () => {
      const response = await fetch(`http://127.0.0.1:${port}/health/ready`);
      if (!response.ok) throw new Error(`${part.name} is not ready: ${await response.text()}`);
      await response.body?.cancel();
    });
  }

  /** A request to the API of a manager. */
  async api(method: string, path: string, body?: object, manager = 0): Promise<Record<string, unknown>> {
    const part = this.managers[manager];
    const response = await fetch(`http://127.0.0.1:${part?.port(9410) ?? 0}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.adminKey}`,
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
  }

  async rows(sql: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
    return (await this.#pool.query<Record<string, unknown>>(sql, values)).rows;
  }

  async close(): Promise<void> {
    await this.#pool?.end();
    await Promise.all(
      this.#started.map((container) => container.stop({ timeout: 5000 }).catch(() => undefined)),
    );
    for (const network of this.#networks.values()) await network.stop().catch(() => undefined);
  }

  #databaseUrl(host: string, port: number): string {
    return `postgres://postgres:${this.#passwords.postgres}@${host}:${port}/postgres`;
  }

  #startPostgres(): Promise<Part> {
    const container = new GenericContainer('postgres:17').withEnvironment({
      POSTGRES_PASSWORD: this.#passwords.postgres,
    });
    return this.#run('postgres', container, { network: 'road', ports: [5432] });
  }

  #startBroker(): Promise<Part> {
    const { gateway, manager } = this.#passwords;
    const file = (name: string): string => readFileSync(new URL(`deploy/mosquitto/${name}`, ROOT), 'utf8');
    const container = new GenericContainer('eclipse-mosquitto:2')
      .withCopyContentToContainer([
        { content: file('mosquitto.conf'), target: '/mosquitto/config/mosquitto.conf' },
        { content: file('acl'), target: '/run/evander/acl', mode: 0o644 },
      ])
      .withEntrypoint(['/bin/sh', '-c'])
      .withCommand([
        `touch /run/evander/passwords && chmod 600 /run/evander/passwords &&
         mosquitto_passwd -b /run/evander/passwords gateway ${gateway} &&
         mosquitto_passwd -b /run/evander/passwords manager ${manager} &&
         chown -R mosquitto /run/evander && exec mosquitto -c /mosquitto/config/mosquitto.conf`,
      ]);
    return this.#run('broker', container, { network: 'road', ports: [1883] });
  }

  #startManager(index: number): Promise<Part> {
    const container = new GenericContainer('evander-manager').withEnvironment({
      ...this.#common(),
      EVANDER_SECRET: this.#secret,
      EVANDER_MQTT_URL: `mqtt://manager:${this.#passwords.manager}@broker:1883`,
      EVANDER_DATABASE_URL: this.#databaseUrl('postgres', 5432),
      EVANDER_ADMIN_KEY: this.adminKey,
      EVANDER_UNKNOWN_STATIONS: 'accept',
    });
    return this.#run(`manager-${index}`, container, { network: 'road', alias: 'manager', ports: [9410] });
  }

  async #startGateway(index: number): Promise<Part> {
    const container = new GenericContainer('evander-gateway').withEnvironment({
      ...this.#common(),
      EVANDER_GATEWAY_SECRET: this.#gatewaySecret,
      EVANDER_MQTT_URL: `mqtt://gateway:${this.#passwords.gateway}@broker:1883`,
      EVANDER_MANAGER_URL: 'http://manager:9410',
      // HAProxy sends PROXY protocol.
      EVANDER_TRUSTED_PROXIES: '10.0.0.0/8,172.16.0.0/12,192.168.0.0/16',
    });
    const part = await this.#run(`gateway-${index}`, container, {
      network: 'edge',
      alias: 'gateway',
      ports: [9310, 9312],
    });
    await part.join('road');
    return part;
  }

  #startBalancer(): Promise<Part> {
    // A machine for tests may not allow the files that so many connections want.
    const config = readFileSync(new URL('deploy/haproxy/haproxy.cfg', ROOT), 'utf8').replace(
      /maxconn \d+/,
      'maxconn 4000',
    );
    const container = new GenericContainer('haproxy:3.0').withCopyContentToContainer([
      { content: config, target: '/usr/local/etc/haproxy/haproxy.cfg', mode: 0o644 },
    ]);
    return this.#run('balancer', container, { network: 'edge', ports: [9310] });
  }

  #common(): Record<string, string> {
    return { EVANDER_LOG_LEVEL: 'info' };
  }

  async #run(
    name: string,
    container: GenericContainer,
    place: { network: 'road' | 'edge'; alias?: string; ports: number[] },
  ): Promise<Part> {
    const ports = new Map<number, number>();
    for (const inside of place.ports) ports.set(inside, await freePort());
    const network = this.#networks.get(place.network);
    if (!network) throw new Error(`there is no network ${place.network}`);
    mkdirSync(OUT, { recursive: true });
    const log = createWriteStream(new URL(`${this.#options.name}-${name}.log`, OUT), { flags: 'a' });
    const started = await container
      .withNetwork(network)
      .withLabels({ 'evander.e2e': 'true' })
      .withNetworkAliases(place.alias ?? name)
      .withExposedPorts(...[...ports].map(([inside, host]) => ({ container: inside, host })))
      .withLogConsumer((stream) => stream.on('data', (line: string) => log.write(line)))
      .start();
    this.#started.push(started);
    return this.#partOf(name, started, ports);
  }

  async #partOf(name: string, started: StartedTestContainer, ports: Map<number, number>): Promise<Part> {
    const { dockerode } = (await getContainerRuntimeClient()).container;
    const id = started.getId();
    const container = dockerode.getContainer(id);
    const network = (word: 'road' | 'edge') => dockerode.getNetwork(this.#networks.get(word)?.getId() ?? '');
    const alias = name.replace(/-\d+$/, '');
    return {
      name,
      kill: async () => void (await container.kill()),
      start: async () => void (await container.start()),
      stop: async () => {
        await container.stop({ t: 30 });
        return (await container.inspect()).State.ExitCode;
      },
      pause: async () => void (await container.pause()),
      unpause: async () => void (await container.unpause()),
      leave: async (word) => void (await network(word).disconnect({ Container: id })),
      join: async (word) =>
        void (await network(word).connect({ Container: id, EndpointConfig: { Aliases: [alias] } })),
      memory: async () => {
        const { output } = await started.exec(['cat', '/proc/1/status']);
        return Number(/VmRSS:\s+(\d+) kB/.exec(output)?.[1] ?? 0) * 1024;
      },
      exec: async (command) => (await started.exec(command)).output,
      port: (inside) => ports.get(inside) ?? 0,
    };
  }
}

/** Removes the containers of a run that was cut short. */
async function removeLeftovers(): Promise<void> {
  const { dockerode } = (await getContainerRuntimeClient()).container;
  const filters = { label: ['evander.e2e'] };
  for (const { Id } of await dockerode.listContainers({ all: true, filters }))
    await dockerode.getContainer(Id).remove({ force: true });
}

/** Tries until it succeeds, for a minute; then throws what it last threw. */
export async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  const untilMs = Date.now() + 60_000;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > untilMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
