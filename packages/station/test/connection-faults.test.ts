import { afterEach, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { WebSocketServer } from 'ws';
import { readCommandLine } from '../src/cli/command-line.ts';
import { simulate as run } from '../src/cli/simulate.ts';
import { Manager } from './manager.ts';
import { OpenSsl } from './openssl.ts';
import { closeLater } from './setup.ts';

/** Runs the simulator with these arguments; gives its exit code and its lines. */
async function simulate(args: string[]): Promise<{ code: number; lines: string[] }> {
  const commandLine = readCommandLine(args);
  if (!commandLine) throw new Error('the arguments ask for help');
  const lines: string[] = [];
  const code = await run(
    commandLine,
    (line) => void lines.push(...line.split('\n')),
    new AbortController().signal,
  );
  return { code, lines };
}

function certificate(): { cert: string; key: string } {
  const openSsl = closeLater(new OpenSsl());
  return openSsl.server(openSsl.root('Root'));
}

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function listening(server: Server): Promise<number> {
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** A web server that answers every request, an upgrade as well. */
function answering(status: number, body = '', headers: Record<string, string> = {}): () => Promise<string> {
  return async () => {
    const server = createHttpServer((_request, response) => {
      response.writeHead(status, { 'content-type': 'text/plain', ...headers }).end(body);
    });
    return `ws://127.0.0.1:${await listening(server)}/ws`;
  };
}

const TROUBLES: [string, () => Promise<string>, string][] = [
  [
    'nothing there',
    async () => 'ws://127.0.0.1:1/ws',
    'nothing listens at 127.0.0.1:1: start the CSMS, or correct --url (ECONNREFUSED)',
  ],
  ['an unknown host', async () => 'ws://no-such-host.invalid/ws', 'the host name no-such-host.invalid'],
  [
    'a wrong password',
    answering(401, 'wrong password'),
    'wrong password, or none: give the one that the CSMS has for this station with --password (HTTP 401, "wrong password")',
  ],
  [
    'an unknown station',
    answering(404, 'unknown station'),
    'the CSMS knows no such station, or no such path: add the station there, or correct --url (HTTP 404, "unknown station")',
  ],
  [
    'a wrong path',
    answering(400, 'the URL is not /ws/<station id>'),
    'look at the path of --url and the subprotocol (HTTP 400, "the URL is not /ws/<station id>")',
  ],
  ['another security profile', answering(403), 'the CSMS does not allow this security profile'],
  [
    'an API',
    answering(404, '{"detail":"there is no GET /ws"}', { 'content-type': 'application/problem+json' }),
    '(HTTP 404, "there is no GET /ws")',
  ],
  ['a page', answering(200, '<html>'), 'what answers there is no CSMS: correct --url (HTTP 200'],
  ['a redirect', answering(301, '', { location: 'https://elsewhere' }), 'the CSMS sends elsewhere'],
  ['a CSMS that is not ready', answering(503), 'the CSMS is not ready (HTTP 503)'],
  [
    'another subprotocol',
    async () => {
      const server = createHttpServer();
      const sockets = new WebSocketServer({ server, handleProtocols: () => false });
      sockets.on('connection', (socket) => socket.close());
      return `ws://127.0.0.1:${await listening(server)}/ws`;
    },
    'the CSMS does not agree to the subprotocol ocpp1.6',
  ],
  [
    'a silent end',
    async () => `ws://127.0.0.1:${await listening(createServer((socket) => socket.end()))}/ws`,
    'the CSMS cut the connection without an answer',
  ],
  [
    'no TLS',
    async () => (await answering(200)()).replace('ws:', 'wss:'),
    'no TLS is spoken there: use ws:// instead of wss://',
  ],
  [
    'TLS on ws',
    async () => {
      const server = createHttpsServer(certificate());
      return `ws://127.0.0.1:${await listening(server)}/ws`;
    },
    'does it speak TLS there (wss://)?',
  ],
  [
    'a certificate that is not trusted',
    async () => {
      const server = createHttpsServer(certificate());
      return `wss://127.0.0.1:${await listening(server)}/ws`;
    },
    'the certificate of the CSMS is not trusted: give its root with --ca',
  ],
];

test.each(TROUBLES)(
  '%s is said once, in plain words, and ends with 3',
  async (_, open, words) => {
    const { code, lines } = await simulate(['--url', await open(), '--duration-seconds', '1']);
    expect(code).toBe(3);
    const told = lines.filter((line) => line.includes('not connected'));
    expect(told).toHaveLength(1);
    expect(told[0]).toContain(words);
    expect(lines.join('\n')).not.toMatch(/\n +at /);
  },
  30_000,
);

test('a tag that is refused is said once, asked for less and less often, and ends with 4', async () => {
  const manager = closeLater(await new Manager().listen());
  manager.answers.Authorize = () => ({ idTagInfo: { status: 'Invalid' } });
  const { code, lines } = await simulate([
    '--url',
    manager.url,
    '--duration-seconds',
    '4',
    '--id-tag',
    'NOBODY',
  ]);
  expect(code).toBe(4);
  expect(lines.filter((line) => line.includes('NOBODY'))).toEqual([
    expect.stringContaining(
      'SIM0001/1   the tag NOBODY is refused (Invalid): add it to the CSMS, or name another with --id-tag',
    ),
  ]);
  const asked = manager.requests('Authorize').length;
  expect(asked).toBeGreaterThan(1);
  expect(asked).toBeLessThan(7);
}, 30_000);

test('a session is told line by line, for people and for machines', async () => {
  const manager = closeLater(await new Manager().listen());
  const args = [
    '--url',
    manager.url,
    '--sessions',
    '1',
    '--meter-values',
    '2',
    '--speed',
    '600',
    '--seed',
    '1',
  ];
  const text = await simulate(args);
  expect(text.code).toBe(0);
  const told = text.lines.filter((line) => line.includes('SIM0001 ') || line.includes('SIM0001/1'));
  const inOrder = [
    /^SIM0001 connects to ws:.*; seed 1\. Ctrl-C ends it$/,
    /^\d\d:\d\d:\d\d {2}SIM0001 {5}connected to ws:\/\/.*\/SIM0001$/,
    /accepted, heartbeat every \d+ s$/,
    /SIM0001\/1 {3}plugged in$/,
    /charging begins, tag SIMTAG, transaction \d+$/,
    /charging \d+\.\d kW, \d\.\d\d kWh so far$/,
    /charging \d+\.\d kW, \d\.\d\d kWh so far$/,
    /the car takes no more$/,
    /stopped: \d\.\d\d kWh \(Local\)$/,
    /free$/,
  ];
  expect(told.slice(0, inOrder.length)).toEqual(
    inOrder.map((pattern) => expect.stringMatching(pattern) as unknown),
  );

  const machine = await simulate([...args, '--json']);
  const events = machine.lines.map((line) => JSON.parse(line) as { event: string; at: string });
  expect(events.map(({ event }) => event)).toEqual([
    ...[
      'start',
      'connected',
      'booted',
      'status',
      'started',
      'charging',
      'charging',
      'status',
      'stopped',
      'status',
    ],
    ...['disconnected', 'end'],
  ]);
  expect(events.at(-1)).toMatchObject({ sessionsCompleted: 1, queued: 0 });
}, 30_000);

test('of many stations the same trouble is told once', async () => {
  const { code, lines } = await simulate([
    '--url',
    'ws://127.0.0.1:1/ws',
    '--stations',
    '20',
    '--duration-seconds',
    '2',
  ]);
  expect(code).toBe(3);
  expect(lines.filter((line) => line.includes('nothing listens'))).toHaveLength(1);
  expect(lines.join('\n')).toContain('told once for all stations');
}, 30_000);
