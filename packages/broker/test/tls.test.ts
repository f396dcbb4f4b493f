import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { pbkdf2Sync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { connect as connectSocket, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { OpenSsl } from '../../../test/openssl.ts';
import type { KeyPair } from '../../../test/openssl.ts';
import { BrokerClient } from '../src/index.ts';

const MOSQUITTO = ['/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto', '/opt/homebrew/sbin/mosquitto'].find(
  (path) => existsSync(path),
);
// Machines without Mosquitto test the same client on the embedded broker, without TLS.
const withMosquitto = MOSQUITTO === undefined ? test.skip : test;
const PASSWORD = 'p:a@s/s w%rd-mqtt';

let openssl: OpenSsl;
let broker: { port: number; stop(): Promise<void> };
let client: KeyPair;
const opened: BrokerClient[] = [];

beforeAll(async () => {
  if (MOSQUITTO === undefined) return;
  openssl = await OpenSsl.open();
  const root = await openssl.root('/O=Test/CN=Broker root');
  const names = ['subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const server = await openssl.certificate({ subject: '/CN=localhost', issuer: root, extensions: names });
  client = await openssl.certificate({ subject: '/CN=gateway', issuer: root });
  const stranger = await openssl.root('/O=Test/CN=Another root');
  await write({
    'root.pem': root.certificate,
    'server.pem': server.certificate,
    'server.key': server.key,
    'client.pem': client.certificate,
    'client.key': client.key,
    'stranger.pem': stranger.certificate,
    passwords: passwordLine(),
  });
  broker = await startMosquitto();
});
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});
afterAll(async () => {
  await broker?.stop();
  await openssl?.close();
});

function file(name: string): string {
  return join(openssl.directory, name);
}

async function write(files: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(files)) await writeFile(file(name), text, { mode: 0o600 });
}

/** In the format of mosquitto_passwd, which is missing on some machines that have the broker. */
function passwordLine(): string {
  const salt = randomBytes(12);
  const hash = pbkdf2Sync(PASSWORD, salt, 101, 64, 'sha512');
  return `gateway:$7$101$${salt.toString('base64')}$${hash.toString('base64')}\n`;
}

async function startMosquitto(): Promise<{ port: number; stop(): Promise<void> }> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  await new Promise((closed) => probe.close(closed));
  const lines = [
    'user root',
    `listener ${port} 0.0.0.0`,
    `cafile ${file('root.pem')}`,
    `certfile ${file('server.pem')}`,
    `keyfile ${file('server.key')}`,
    'require_certificate true',
    'allow_anonymous false',
    `password_file ${file('passwords')}`,
  ];
  await write({ 'mosquitto.conf': lines.join('\n') });
  const child = spawn(MOSQUITTO ?? '', ['-c', file('mosquitto.conf')], { stdio: 'ignore' });
  const exited = once(child, 'exit');
  for (;;) {
    const socket = connectSocket(port, '127.0.0.1');
    const isThere = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isThere) break;
    if (child.exitCode !== null) throw new Error('mosquitto did not start');
    await delay(20);
  }
  return {
    port,
    stop: async () => {
      child.kill();
      await exited;
    },
  };
}

interface Client {
  host?: string;
  user?: string;
  password?: string;
  files?: Record<string, string>;
}

function urlOf({
  host = 'localhost',
  user = 'gateway',
  password = PASSWORD,
  files = {},
}: Client = {}): string {
  const names = { cafile: 'root.pem', certfile: 'client.pem', keyfile: 'client.key', ...files };
  const query = Object.entries(names)
    .filter(([, name]) => name !== '')
    .map(([parameter, name]) => `${parameter}=${encodeURIComponent(file(name))}`);
  const account = `${encodeURIComponent(user)}:${encodeURIComponent(password)}`;
  return `mqtts://${account}@${host}:${broker.port}?${query.join('&')}`;
}

/** A client's first outcome: connected, or an error. */
function outcome(url: string): Promise<'connected' | Error> {
  return new Promise((resolve) => {
    const one = new BrokerClient({
      url,
      clientId: `tls-${Math.random().toString(36).slice(2)}`,
      filters: ['some/#'],
      onMessage: () => {},
      onConnect: () => resolve('connected'),
      onError: resolve,
    });
    opened.push(one);
  });
}

withMosquitto(
  'connects to a broker that requires TLS, a client certificate, a user and a password',
  async () => {
    expect(await outcome(urlOf())).toBe('connected');
    expect(await outcome(urlOf({ host: '127.0.0.1' }))).toBe('connected');
    expect(await outcome(urlOf().replace('mqtts://', 'ssl://'))).toBe('connected');
  },
);

withMosquitto.each<[string, () => Client, RegExp]>([
  ['a broker of another authority', () => ({ files: { cafile: 'stranger.pem' } }), /certificate/],
  ['a broker of an authority that is not configured', () => ({ files: { cafile: '' } }), /certificate/],
  ['a broker under another name', () => ({ host: '127.0.0.2' }), /not in the cert/],
  ['no client certificate', () => ({ files: { certfile: '', keyfile: '' } }), /./],
  ['a wrong password', () => ({ password: 'wrong' }), /[Nn]ot authorized/],
])('%s is rejected, and no error contains the password', async (_name, client, text) => {
  const error = await outcome(urlOf(client()));
  expect(error).toBeInstanceOf(Error);
  const { message, stack, ...rest } = error as Error;
  expect(message).toMatch(text);
  const shown = JSON.stringify([message, stack, rest]);
  for (const secret of [PASSWORD, encodeURIComponent(PASSWORD), 'PRIVATE KEY'])
    expect(shown).not.toContain(secret);
});

withMosquitto(
  'a renewed client certificate is used at the next connect, entirely or not at all',
  async () => {
    const stranger = await openssl.root('/CN=gateway');
    await write({ 'renewed.pem': stranger.certificate, 'renewed.key': stranger.key });
    const errors: string[] = [];
    await new Promise<void>((resolve) => {
      const one = new BrokerClient({
        url: urlOf({ files: { certfile: 'renewed.pem', keyfile: 'renewed.key' } }),
        clientId: 'renewed',
        filters: ['some/#'],
        onMessage: () => {},
        onConnect: resolve,
        onError: ({ message }) => {
          errors.push(message);
          // First only the certificate, as when both files are being written.
          void write(
            message.includes('mismatched PEM files')
              ? { 'renewed.key': client.key }
              : { 'renewed.pem': client.certificate },
          );
        },
      });
      opened.push(one);
    });
    expect(errors).toContainEqual(expect.stringContaining('invalid or mismatched PEM files'));
  },
);
