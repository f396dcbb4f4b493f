import { hashStationPassword } from '@evander/process';
import { expect, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { credentialsFromManager, ManagerAwayError } from '../src/index.ts';
import type { ManagerCallOptions } from '../src/index.ts';
import { closeLater, credentials, handshake, openStage, PEPPER } from './harness.ts';

interface CredentialsServer {
  url: string;
  requests: { path: string; authorization: string | undefined }[];
  /** Its answer: a status, or credentials with 200; no answer when it hangs. */
  answer: number | object | 'hang';
  /** Whether it only answers about one station at a time. */
  knowsOneOnly: boolean;
  onConnection(socket: unknown): void;
  closeIdle(): void;
}

function answerWith(response: ServerResponse, answer: object): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
}

async function answerTogether(
  request: IncomingMessage,
  response: ServerResponse,
  answer: object,
): Promise<void> {
  const { stationIds } = (await json(request)) as { stationIds: string[] };
  answerWith(response, {
    stations: stationIds.map((stationId) => (stationId === 'stranger' ? null : { ...answer, stationId })),
  });
}

async function openServer(answer: CredentialsServer['answer']): Promise<CredentialsServer> {
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    opened.requests.push({ path, authorization: request.headers.authorization });
    if (opened.answer === 'hang') return;
    if (typeof opened.answer === 'number') response.writeHead(opened.answer).end('{}');
    else if (path !== '/gateway/stations') answerWith(response, opened.answer);
    else if (opened.knowsOneOnly) response.writeHead(404).end('{}');
    else void answerTogether(request, response, opened.answer);
  });
  server.on('connection', (socket) => opened.onConnection(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closeLater({
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
  const { port } = server.address() as AddressInfo;
  const opened: CredentialsServer = {
    url: `http://127.0.0.1:${port}`,
    requests: [],
    answer,
    knowsOneOnly: false,
    onConnection: () => undefined,
    closeIdle: () => server.closeIdleConnections(),
  };
  return opened;
}

function ask(servers: CredentialsServer[], options: Partial<ManagerCallOptions> = {}) {
  return credentialsFromManager({
    managerUrls: servers.map(({ url }) => url),
    gatewayKey: 'the key',
    timeoutMs: 1000,
    ...options,
  });
}

const CP1 = credentials('CP1', {
  securityProfile: 1,
  passwordHashes: [hashStationPassword(Buffer.from('secret'), 'CP1', PEPPER)],
});
const WITH_SECRET = {
  'sec-websocket-protocol': 'ocpp1.6',
  authorization: `Basic ${Buffer.from('CP1:secret').toString('base64')}`,
};

test('a manager is asked with the key and an encoded id', async () => {
  const server = await openServer(credentials('a/b ü'));
  const source = ask([server], { managerUrls: [` ${server.url}/ `] });
  expect(await source('a/b ü')).toEqual(credentials('a/b ü'));
  expect(server.requests).toEqual([
    { path: '/gateway/stations/a%2Fb%20%C3%BC', authorization: 'Bearer the key' },
  ]);
});

test('a manager is asked at each handshake, so that a new password takes effect immediately', async () => {
  const server = await openServer(CP1);
  const { gateway } = await openStage({ credentialsOf: ask([server]) });
  expect((await handshake(gateway, '/ws/CP1', WITH_SECRET)).status).toBe(101);
  server.answer = { ...CP1, passwordHashes: [] };
  expect((await handshake(gateway, '/ws/CP1', WITH_SECRET)).status).toBe(401);
  server.answer = 404;
  expect((await handshake(gateway, '/ws/CP1', WITH_SECRET)).status).toBe(404);
  expect(server.requests).toHaveLength(3);
});

test.each<CredentialsServer['answer']>([500, 503, 401, 'hang'])(
  'a station can reconnect while managers are away if it was connected before: %p',
  async (away) => {
    const server = await openServer(CP1);
    const { gateway } = await openStage({ credentialsOf: ask([server]), limits: { handshakeMs: 500 } });
    expect((await handshake(gateway, '/ws/CP1', WITH_SECRET)).status).toBe(101);
    server.answer = away;
    expect((await handshake(gateway, '/ws/CP1', WITH_SECRET)).status).toBe(101);
    expect((await handshake(gateway, '/ws/CP1', {})).status).toBe(401);
    const { status, headers } = await handshake(gateway, '/ws/CP2', WITH_SECRET);
    expect(status).toBe(503);
    expect(headers['retry-after']).toBe('5');
  },
);

test.each<[string, CredentialsServer['answer']]>([
  ['that is starting', 503],
  ['behind a load balancer that has not noticed', 502],
  ['that hangs', 'hang'],
])('new stations wait for a manager %s, and none is rejected', async (_name, away) => {
  const server = await openServer(away);
  const { gateway } = await openStage({ credentialsOf: ask([server], { timeoutMs: 500 }) });
  const joining = Array.from({ length: 100 }, (_, i) => handshake(gateway, `/ws/CP${i}`));
  while (server.requests.length < 8) await new Promise((resolve) => setTimeout(resolve, 20));
  server.answer = credentials('CP1');
  const statuses = (await Promise.all(joining)).map(({ status }) => status);
  expect(statuses).toEqual(Array(100).fill(101));
});

test('a station waits no longer than a handshake may take', async () => {
  const server = await openServer(503);
  const { gateway } = await openStage({ credentialsOf: ask([server]), limits: { handshakeMs: 1000 } });
  const startedAt = Date.now();
  expect((await handshake(gateway, '/ws/CP1', WITH_SECRET)).status).toBe(503);
  expect(Date.now() - startedAt).toBeLessThan(3000);
  // More than once, but with pauses.
  expect(server.requests.length).toBeGreaterThan(1);
  expect(server.requests.length).toBeLessThan(7);
});

test('a station that was deleted in the meantime is not remembered', async () => {
  const server = await openServer(CP1);
  const source = ask([server]);
  expect(await source('CP1')).toEqual(CP1);
  server.answer = 404;
  expect(await source('CP1')).toBeUndefined();
  server.answer = 503;
  await expect(source('CP1')).rejects.toThrow(ManagerAwayError);
});

test('one working manager is enough, and is asked first from then on', async () => {
  const broken = await openServer(500);
  const well = await openServer(CP1);
  const source = ask([broken, well]);
  expect(await source('CP1')).toEqual(CP1);
  expect(await source('CP1')).toEqual(CP1);
  expect([broken.requests.length, well.requests.length]).toEqual([1, 2]);
  well.answer = 503;
  broken.answer = 404;
  expect(await source('CP1')).toBeUndefined();
});

test('an unreachable manager is ignored', async () => {
  const well = await openServer(CP1);
  const source = ask([well], { managerUrls: ['http://127.0.0.1:1', well.url] });
  expect(await source('CP1')).toEqual(CP1);
});

test('an unknown station is no reason to ask another manager', async () => {
  const first = await openServer(404);
  const second = await openServer(CP1);
  expect(await ask([first, second])('CP1')).toBeUndefined();
  expect(second.requests).toEqual([]);
});

test.each([1, 2])('a hung manager delays no handshake while another answers: number %i', async (hanging) => {
  const servers = [await openServer(CP1), await openServer(CP1)];
  const hung = servers[hanging - 1];
  if (hung) hung.answer = 'hang';
  // Much longer than the test waits.
  const source = ask(servers, { timeoutMs: 60_000 });
  for (let i = 0; i < 3; i++) expect(await source('CP1')).toEqual(CP1);
});

test('when all managers hang, their timeouts run in parallel', async () => {
  const servers = await Promise.all([1, 2, 3, 4].map(() => openServer('hang')));
  const startedAt = Date.now();
  await expect(ask(servers, { timeoutMs: 2000 })('CP1')).rejects.toThrow(ManagerAwayError);
  // One after the other would take 8 s.
  expect(Date.now() - startedAt).toBeLessThan(6000);
  expect(servers.map(({ requests }) => requests.length)).toEqual([1, 1, 1, 1]);
});

test('while all managers hang, remembered stations reconnect without waiting for a timeout', async () => {
  const server = await openServer(CP1);
  const { gateway } = await openStage({ credentialsOf: ask([server], { timeoutMs: 60_000 }) });
  expect((await handshake(gateway, '/ws/CP1', WITH_SECRET)).status).toBe(101);
  server.answer = 'hang';
  for (let i = 0; i < 5; i++) expect((await handshake(gateway, '/ws/CP1', WITH_SECRET)).status).toBe(101);
});

test('many concurrent requests share a few connections, and a connection that the manager closed causes no failure', async () => {
  const server = await openServer(CP1);
  const sockets = new Set<unknown>();
  server.onConnection = (socket) => sockets.add(socket);
  const source = ask([server], { timeoutMs: 10_000 });
  const answers = await Promise.all(Array.from({ length: 500 }, () => source('CP1')));
  expect(answers).toEqual(answers.map(() => CP1));
  expect(sockets.size).toBeLessThanOrEqual(32);
  for (let round = 0; round < 20; round++) {
    server.closeIdle();
    expect(await source('CP1')).toEqual(CP1);
  }
});

test('requests about stations that connect together are batched, and each station gets its own answer', async () => {
  const server = await openServer(credentials('any'));
  const source = ask([server]);
  const ids = Array.from({ length: 500 }, (_, i) => (i % 100 === 99 ? 'stranger' : `CP${i}`));
  const answers = await Promise.all(ids.map((stationId) => source(stationId)));
  expect(answers.map((answer) => answer?.stationId ?? 'stranger')).toEqual(
    ids.map((id, i) => (i < 2 ? 'any' : id)),
  );
  expect(server.requests.length).toBeLessThan(10);
});

test('an adapter that only answers about one station is asked about each', async () => {
  const server = await openServer(CP1);
  server.knowsOneOnly = true;
  const source = ask([server]);
  const answers = await Promise.all(Array.from({ length: 20 }, () => source('CP1')));
  expect(answers).toEqual(answers.map(() => CP1));
});

test('a failed request rejects for all its stations, and the next request is sent', async () => {
  const server = await openServer(500);
  const source = ask([server]);
  const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => source('CP1')));
  expect(outcomes.map(({ status }) => status)).toEqual(Array(20).fill('rejected'));
  server.answer = CP1;
  expect(await source('CP1')).toEqual(CP1);
});
