import { Sealer, silentLog } from '@evander/process';
import { expect } from '@jest/globals';
import * as apiKeys from '../../src/api-keys/api-keys.store.ts';
import type { Role } from '../../src/api-keys/api-keys.store.ts';
import type { RouteAccess } from '../../src/api-keys/authentication.ts';
import { Authority } from '../../src/certificates/authority.ts';
import { Certificates } from '../../src/certificates/certificates.ts';
import { Responders } from '../../src/certificates/responders.ts';
import { EventFeed } from '../../src/events/feed.ts';
import { Sequencer } from '../../src/events/sequencer.ts';
import { Files } from '../../src/files/files.ts';
import { DEFAULT_FILE_OPTIONS } from '../../src/files/settings.ts';
import type { FileOptions } from '../../src/files/files.ts';
import { outbound } from '../../src/outbound/outbound.ts';
import { startApi } from '../../src/server.ts';
import type { ApiOptions } from '../../src/server.ts';
import { openTestManager, PEPPER } from '../test-manager.ts';
import type { TestManager, TestManagerOptions } from '../test-manager.ts';

export const GATEWAY_KEY = 'the-key-of-gateways';
export const KEYS: Record<Role, string> = {
  admin: 'evk_admin',
  operator: 'evk_operator',
  viewer: 'evk_viewer',
};

/** Properties of the responses that tests read. */
export interface Body extends Record<string, unknown> {
  items: Record<string, unknown>[];
  nextCursor: string | null;
  detail: string;
  key: string;
  keyId: string;
  passwordHashes: string[];
  paths: Record<string, Record<string, { summary?: string; responses?: object }>>;
}

export interface Answer {
  status: number;
  headers: Headers;
  body: Body;
}

/** The API over real HTTP on a manager's database, with an API key for each role. */
export interface TestApi {
  manager: TestManager;
  feed: EventFeed;
  files: Files;
  certificates: Certificates;
  url: string;
  routes: readonly RouteAccess[];
  changed: string[];
  /** Sends a request as admin or with the given key; null for no key. */
  send(method: string, path: string, body?: unknown, key?: string | null): Promise<Answer>;
  close(): Promise<void>;
}

export type TestApiOptions = Partial<
  Pick<ApiOptions, 'unknownStations' | 'failureLimits' | 'trustedProxies' | 'outboundPrivate' | 'log'> & {
    fileOptions: Partial<FileOptions>;
    databaseVia: TestManagerOptions['databaseVia'];
  }
>;

export async function openApi({
  unknownStations = 'reject',
  fileOptions = {},
  failureLimits = { address: 1_000_000, key: 1_000_000 },
  trustedProxies = [],
  outboundPrivate = true,
  log = silentLog(),
  databaseVia,
}: TestApiOptions = {}): Promise<TestApi> {
  const manager = await openTestManager({ unknownStations, ...(databaseVia && { databaseVia }) });
  for (const role of ['admin', 'operator', 'viewer'] as const) {
    await apiKeys.add(manager.database, { name: role, role, key: KEYS[role] });
  }
  const changed: string[] = [];
  const now = (): Date => manager.now();
  const files = new Files(manager.database, { ...DEFAULT_FILE_OPTIONS, ...fileOptions }, now);
  const { database, callMaker } = manager;
  const request = outbound({ allowPrivate: true });
  const responders = new Responders({ database, now, request });
  const authority = new Authority({
    database,
    sealer: new Sealer('a secret'),
    organisation: 'Operator',
    stationDays: 30,
    now,
  });
  const certificates = new Certificates({
    database,
    callMaker,
    authority,
    responders,
    organisation: 'Operator',
    stationDays: 30,
    renewDays: 10,
    signedBy: 'builtin',
    now,
    log,
  });
  const feed = new EventFeed({ database: manager.database, databaseUrl: manager.databaseUrl, log });
  const sequencer = new Sequencer(manager.database, log);
  await feed.start();
  sequencer.start();
  const api = await startApi({
    host: '127.0.0.1',
    port: 0,
    database: manager.database,
    callMaker: manager.callMaker,
    feed,
    webhookSealer: new Sealer('a secret'),
    maxEventStreams: 3,
    files,
    metrics: manager.metrics,
    gatewayKey: GATEWAY_KEY,
    passwordPepper: PEPPER,
    unknownStations,
    heartbeatSeconds: 300,
    failureLimits,
    trustedProxies,
    outboundPrivate,
    authority: certificates.authority,
    judge: certificates.judge,
    serverKeySealer: new Sealer('server key'),
    answerSealer: new Sealer('a secret'),
    isReady: () => true,
    now,
    onStationChanged: (stationId) => changed.push(stationId),
    log,
  });
  files.links.setOwnUrl(api.url);
  return {
    manager,
    feed,
    files,
    certificates,
    url: api.url,
    routes: api.routes,
    changed,
    send: async (method, path, body, key = KEYS.admin) => {
      const response = await fetch(api.url + path, {
        method,
        redirect: 'manual',
        headers: {
          accept: 'application/json',
          ...(key !== null && { authorization: `Bearer ${key}` }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      const isJson = text !== '' && response.headers.get('content-type')?.includes('json');
      return {
        status: response.status,
        headers: response.headers,
        body: (isJson ? JSON.parse(text) : {}) as Body,
      };
    },
    close: async () => {
      await feed.close();
      await sequencer.close();
      await api.close();
      await manager.close();
    },
  };
}

/** All items of a list, page by page. */
export async function allPages(
  api: TestApi,
  path: string,
  limit: number,
): Promise<Record<string, unknown>[]> {
  const items: Record<string, unknown>[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const query: string = `limit=${limit}${cursor === '' ? '' : `&cursor=${cursor}`}`;
    const { body } = await api.send('GET', `${path}${path.includes('?') ? '&' : '?'}${query}`);
    expect(body.items.length).toBeLessThanOrEqual(limit);
    items.push(...body.items);
    cursor = body.nextCursor;
  }
  return items;
}
