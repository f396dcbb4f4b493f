import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { OpenSsl } from '../../../test/openssl.ts';
import type { KeyPair } from '../../../test/openssl.ts';
import { childrenOf, readDer } from '../src/der.ts';
import type { Der } from '../src/der.ts';
import { Certificate, CertificateAuthority, EstClient, EstError, readChain } from '../src/index.ts';

let openssl: OpenSsl;
let root: KeyPair;
let below: CertificateAuthority;
let server: Server;
let url: string;
let answer: (request: IncomingMessage, response: ServerResponse, body: string) => Promise<void> | void;

beforeAll(async () => {
  openssl = await OpenSsl.open();
  root = await openssl.root();
  const top = await CertificateAuthority.create({
    commonName: 'Top',
    organisation: 'Outside',
    keyType: 'ec',
    validForDays: 10,
  });
  below = await CertificateAuthority.create({
    commonName: 'Below',
    organisation: 'Outside',
    keyType: 'ec',
    validForDays: 10,
    issuer: top,
  });
  const own = await openssl.certificate({
    subject: '/CN=localhost',
    issuer: root,
    extensions: ['subjectAltName=DNS:localhost'],
  });
  server = createServer({ cert: own.certificate, key: own.key }, (request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => void answer(request, response, body));
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  url = `https://localhost:${(server.address() as AddressInfo).port}/.well-known/est`;
}, 30_000);
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await openssl.close();
});

/** Certificates as EST returns them: a PKCS#7 created by openssl, in base64. */
async function pkcs7(...pem: string[]): Promise<string> {
  const path = join(openssl.directory, 'bundle.pem');
  await writeFile(path, pem.join(''));
  const text = await openssl.run('crl2pkcs7', '-nocrl', '-certfile', path);
  return text.replace(/-----[^-]+-----/g, '').trim();
}

function client(more: Partial<ConstructorParameters<typeof EstClient>[0]> = {}): EstClient {
  return new EstClient({ url, ca: root.certificate, user: 'evander', password: 'secret', ...more });
}

async function csr(): Promise<string> {
  const { key } = await openssl.certificate({ subject: '/CN=unused' });
  await writeFile(join(openssl.directory, 'est.key'), key);
  return openssl.run('req', '-new', '-key', 'est.key', '-subj', '/CN=CP1');
}

test('a request is signed, and the chain completed up to the root, which stations already have', async () => {
  const received: unknown[] = [];
  answer = async ({ url: path, headers, method }, response, body) => {
    received.push([method, path?.split('/').at(-1), headers.authorization, headers['content-type']]);
    response
      .setHeader('content-type', 'application/pkcs7-mime')
      .setHeader('content-transfer-encoding', 'base64');
    if (path?.endsWith('cacerts')) return void response.end(await pkcs7(below.chainPem));
    const leaf = await below.issueFromRequest(body, {
      subject: { CN: 'CP1' },
      validForDays: 1,
      usage: 'client',
    });
    response.end(await pkcs7(readChain(leaf)[0]?.pem ?? ''));
  };
  const outcome = await client().simpleEnroll(await csr());
  const chain = readChain('chainPem' in outcome ? outcome.chainPem : '');
  expect(chain.map(({ subject }) => subject.CN)).toEqual(['CP1', 'Below']);
  const basic = `Basic ${Buffer.from('evander:secret').toString('base64')}`;
  expect(received).toEqual([
    ['POST', 'simpleenroll', basic, 'application/pkcs10'],
    ['GET', 'cacerts', basic, undefined],
  ]);
  expect(await client().caCertificates()).toHaveLength(2);
});

test('an authority that delays says how long to wait', async () => {
  answer = (_request, response) => void response.writeHead(202, { 'retry-after': '17' }).end();
  expect(await client().simpleEnroll(await csr())).toEqual({ retryAfterSeconds: 17 });
});

test.each([
  ['rejects', 401, 'no such user', 'answered 401: no such user'],
  ['answers with invalid data', 200, 'nonsense', 'unreadable PKCS#7'],
])('an error names an authority that %s', async (_what, status, body, fault) => {
  answer = (_request, response) => void response.writeHead(status).end(body);
  await expect(client().simpleEnroll(await csr())).rejects.toThrow(EstError);
  await expect(client().simpleEnroll(await csr())).rejects.toThrow(fault);
});

test('an untrusted or missing server receives nothing', async () => {
  let requests = 0;
  answer = (_request, response) => {
    requests++;
    response.end();
  };
  const stranger = await openssl.root('/CN=Stranger');
  await expect(client({ ca: stranger.certificate }).caCertificates()).rejects.toThrow('cannot be reached');
  await expect(client({ url: 'https://localhost:1/est' }).caCertificates()).rejects.toThrow(
    'cannot be reached',
  );
  expect(requests).toBe(0);
  expect(Certificate.parse(below.certificatePem).isCa).toBe(true);
});

test('reads a PKCS#7 without lengths, as Bouncy Castle writes it', async () => {
  const withoutLength = (part: Der, depth: number): Buffer =>
    depth === 0 || (part.tag & 0x20) === 0
      ? part.raw
      : Buffer.concat([
          Buffer.from([part.tag, 0x80]),
          ...childrenOf(part).map((one) => withoutLength(one, depth - 1)),
          Buffer.from([0, 0]),
        ]);
  const inDer = readDer(Buffer.from(await pkcs7(below.chainPem), 'base64'));
  const bundle = withoutLength(inDer, 4); // down to the certificates, which stay as they are
  answer = (_, response) => void response.end(bundle.toString('base64'));
  const names = (await client().caCertificates()).map(({ subject }) => subject.CN);
  expect(names.sort()).toEqual(['Below', 'Top']);
  answer = (_, response) => void response.end(bundle.subarray(0, -2).toString('base64'));
  await expect(client().caCertificates()).rejects.toThrow('unreadable PKCS#7');
});
