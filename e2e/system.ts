import { mkdirSync, createWriteStream, readFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { GenericContainer, getContainerRuntimeClient, Network } from 'testcontainers';
import type { StartedNetwork, StartedTestContainer } from 'testcontainers';
import { partOf } from './part.ts';
import type { NetworkName, Part } from './part.ts';

const ROOT = new URL('../', import.meta.url);
const OUT = new URL('../.ci/out/e2e/', import.meta.url);
/** The host name of the test machine inside the containers. */
export const THIS_MACHINE = 'host.docker.internal';
const secret = (): string => randomBytes(24).toString('hex');

export interface SystemOptions {
  /** Name of the log files. */
  name: string;
  managers?: number;
  gateways?: number;
  /** Extra variables of the managers. */
  managerSettings?: Record<string, string>;
}

/** Options of an API request. */
export interface ApiRequest {
  body?: object | undefined;
  headers?: Record<string, string>;
  /** Index of the manager to ask. */
  manager?: number;
  /** Aborts the request and its response body. */
  signal?: AbortSignal;
}

/** Evander's images with a real PostgreSQL, a real Mosquitto and a load balancer, each in its container. */
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
  readonly #started: { name: string; container: StartedTestContainer }[] = [];
  #pool!: pg.Pool;

  constructor(options: SystemOptions) {
    this.#options = options;
    const env = { ...process.env, EVANDER_SECRET: this.#secret };
    const script = fileURLToPath(new URL('deploy/gateway-secret', ROOT));
    this.#gatewaySecret = execFileSync('sh', [script], { env }).toString().trim();
  }

  /** URL for stations, without the station id. */
  get url(): string {
    return `ws://127.0.0.1:${this.balancer.port(9310)}/ws`;
  }

  /** Starts everything; resolves once all parts are ready. */
  async start(): Promise<this> {
    const { managers = 2, gateways = 2 } = this.#options;
    await removeLeftovers();
    for (const name of ['internal', 'edge']) this.#networks.set(name, await new Network().start());
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

  /** Sends a request to a manager's API; returns its response, whatever the status. */
  request(method: string, path: string, options: ApiRequest = {}): Promise<Response> {
    const { body, headers, manager = 0, signal } = options;
    const part = this.managers[manager];
    return fetch(`http://127.0.0.1:${part?.port(9410) ?? 0}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.adminKey}`,
        ...(body && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body && { body: JSON.stringify(body) }),
      ...(signal && { signal }),
    });
  }

  /** Sends a request that must succeed to a manager's API; returns the response body. */
  async api(method: string, path: string, body?: object, manager = 0): Promise<Record<string, unknown>> {
    const response = await this.request(method, path, { body, manager });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
  }

  async rows(sql: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
    return (await this.#pool.query<Record<string, unknown>>(sql, values)).rows;
  }

  async close(): Promise<void> {
    await this.#pool?.end();
    mkdirSync(OUT, { recursive: true });
    await Promise.all(
      this.#started.map(async ({ name, container }) => {
        const file = createWriteStream(new URL(`${this.#options.name}-${name}.log`, OUT));
        // The complete log across restarts; it ends with the container.
        const log = container.logs().then((stream) => pipeline(stream, file));
        await container.stop({ timeout: 5000 }).catch(() => undefined);
        await log.catch(() => undefined);
      }),
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
    return this.#run('postgres', container, { network: 'internal', ports: [5432] });
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
    return this.#run('broker', container, { network: 'internal', ports: [1883] });
  }

  #startManager(index: number): Promise<Part> {
    const container = new GenericContainer('evander-manager').withEnvironment({
      ...this.#common(),
      EVANDER_SECRET: this.#secret,
      EVANDER_MQTT_URL: `mqtt://manager:${this.#passwords.manager}@broker:1883`,
      EVANDER_DATABASE_URL: this.#databaseUrl('postgres', 5432),
      EVANDER_ADMIN_KEY: this.adminKey,
      EVANDER_UNKNOWN_STATIONS: 'accept',
      ...this.#options.managerSettings,
    });
    // Webhooks reach a receiver in the test process by this name.
    container.withExtraHosts([{ host: THIS_MACHINE, ipAddress: 'host-gateway' }]);
    return this.#run(`manager-${index}`, container, { network: 'internal', alias: 'manager', ports: [9410] });
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
    await part.join('internal');
    return part;
  }

  #startBalancer(): Promise<Part> {
    // A test machine may not allow as many open files as that many connections need.
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
    place: { network: NetworkName; alias?: string; ports: number[] },
  ): Promise<Part> {
    const ports = new Map<number, number>();
    for (const inside of place.ports) ports.set(inside, await freePort());
    const network = this.#networks.get(place.network);
    if (!network) throw new Error(`there is no network ${place.network}`);
    const started = await container
      .withNetwork(network)
      .withLabels({ 'evander.e2e': 'true' })
      .withNetworkAliases(place.alias ?? name)
      .withExposedPorts(...[...ports].map(([inside, host]) => ({ container: inside, host })))
      .start();
    this.#started.push({ name, container: started });
    return partOf(name, started, {
      ports,
      networkId: (network) => this.#networks.get(network)?.getId() ?? '',
    });
  }
}

/** Removes the containers of an interrupted run. */
async function removeLeftovers(): Promise<void> {
  const { dockerode } = (await getContainerRuntimeClient()).container;
  const filters = { label: ['evander.e2e'] };
  for (const { Id } of await dockerode.listContainers({ all: true, filters }))
    await dockerode.getContainer(Id).remove({ force: true });
}

/** Retries for up to a minute, then throws the last error. */
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
