import { startEmbeddedBroker } from '@evander/broker';
import { askManagers, certificatesFromManager, credentialsFromManager, startGateway } from '@evander/gateway';
import type { Gateway } from '@evander/gateway';
import { startManager } from '@evander/manager';
import type { Manager, ManagerOptions } from '@evander/manager';
import { gatewayKeys, gatewaySecretOf, Sealer, sealingKeyOf, silentLog } from '@evander/process';
import pg from 'pg';
import { createTestDatabase } from '../../../../test/database.ts';

export const SECRET = 'a secret of at least thirty-two characters';
const KEYS = gatewayKeys(gatewaySecretOf(SECRET));
export const ADMIN_KEY = 'evk_an-admin-key-of-more-than-32-characters';

/** A database and a broker for one test file. EVANDER_TEST_MQTT_URL selects a broker other than the embedded one. */
export interface Services {
  databaseUrl: string;
  /** The broker URL for an account. If .ci/run started the broker, the account has the permissions of deploy/mosquitto/acl. */
  mqttUrlOf(account: 'gateway' | 'manager'): string;
  mqttPrefix: string;
  rows(sql: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
  startManager(options?: Partial<Pick<ManagerOptions, 'plugAndCharge' | 'databaseUrl'>>): Promise<Manager>;
  /** With `tls` it also listens on wss, with certificates from the managers' authority. */
  startGateway(
    managers: Pick<Manager, 'apiUrl'>[],
    options?: { tls?: boolean; failFastMs?: number; handshakeMs?: number },
  ): Promise<Gateway>;
  close(): Promise<void>;
}

export async function startServices(): Promise<Services> {
  const database = await createTestDatabase();
  const pool = new pg.Pool({ connectionString: database.url, max: 3 });
  const external = process.env.EVANDER_TEST_MQTT_URL;
  const broker = external === undefined ? await startEmbeddedBroker() : undefined;
  const mqttUrlOf = (account: string): string => {
    const url = new URL(external ?? broker?.url ?? '');
    url.username = account;
    return url.href;
  };
  const mqttPrefix = `test-${Math.random().toString(36).slice(2)}`;
  const parts: { close(): Promise<void> }[] = [];
  const keep = <P extends { close(): Promise<void> }>(part: P): P => {
    // The test may have closed it already.
    const close = part.close.bind(part);
    let closed: Promise<void> | undefined;
    part.close = () => (closed ??= close());
    parts.push(part);
    return part;
  };
  const log = silentLog();
  return {
    databaseUrl: database.url,
    mqttUrlOf,
    mqttPrefix,
    rows: async (sql, values = []) => (await pool.query<Record<string, unknown>>(sql, values)).rows,
    startManager: async (options = {}) =>
      keep(
        await startManager({
          host: '127.0.0.1',
          apiPort: 0,
          databaseUrl: database.url,
          databasePoolSize: 5,
          mqttUrl: mqttUrlOf('manager'),
          mqttPrefix,
          ...KEYS,
          sealingKey: sealingKeyOf(SECRET),
          outboundPrivate: true,
          certificates: { organisation: 'Operator', stationDays: 30, renewDays: 10, signedBy: 'builtin' },
          answerTimeoutMs: 5000,
          adminKey: ADMIN_KEY,
          unknownStations: 'accept',
          heartbeatSeconds: 300,
          drainMs: 2000,
          log,
          ...options,
        }),
      ),
    startGateway: async (managers, { tls = false, failFastMs, handshakeMs } = {}) => {
      const managerCall = {
        managerUrls: managers.map(({ apiUrl }) => apiUrl),
        gatewayKey: KEYS.gatewayKey,
      };
      const names = ['localhost', '127.0.0.1'];
      const sealer = new Sealer(KEYS.serverKeySecret);
      const gateway = keep(
        await startGateway({
          host: '127.0.0.1',
          wsPort: 0,
          statusPort: 0,
          mqttUrl: mqttUrlOf('gateway'),
          mqttPrefix,
          ...(tls && {
            certificates: certificatesFromManager(askManagers({ ...managerCall, timeoutMs: 30_000 }), {
              names,
              sealer,
            }),
          }),
          credentialsOf: credentialsFromManager(managerCall),
          passwordPepper: KEYS.passwordPepper,
          maxFrameBytes: 1_048_576,
          pingMs: 5000,
          answerTimeoutMs: 5000,
          drainMs: 2000,
          repeatDelaysMs: [500, 1000, 2000],
          ...(failFastMs !== undefined && { failFastMs }),
          ...(handshakeMs !== undefined && { limits: { handshakeMs } }),
          log,
        }),
      );
      if (tls) await hasCertificate(gateway);
      return gateway;
    },
    close: async () => {
      for (const part of parts.reverse()) await part.close();
      await broker?.close();
      await pool.end();
      await database.drop();
    },
  };
}

async function hasCertificate({ statusUrl }: Gateway): Promise<void> {
  await eventually(async () => {
    const metrics = await (await fetch(`${statusUrl}/metrics`)).text();
    if (!/certificate_expiry_seconds \d/.test(metrics)) throw new Error('the gateway has no certificate');
  });
}

/** An HTTP API client with the admin key. */
export function apiOf(
  url: string,
  key = ADMIN_KEY,
): (method: string, path: string, body?: object) => Promise<Answer> {
  return async (method, path, body) => {
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      body: text === '' ? undefined : (JSON.parse(text) as Record<string, unknown>),
    };
  };
}

/** Retries until the check succeeds: presence arrives asynchronously over the broker. */
export async function eventually<T>(check: () => Promise<T> | T): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await check();
    } catch (error) {
      if (attempt === 200) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

export interface Answer {
  status: number;
  body: Record<string, unknown> | undefined;
}
