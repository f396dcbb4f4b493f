import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createHash, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { OpenSsl } from '../../../test/openssl.ts';
import type { KeyPair } from '../../../test/openssl.ts';
import {
  Certificate,
  CertificateError,
  OcspClient,
  OcspError,
  readChain,
  readCrl,
  validatePath,
} from '../src/index.ts';

const CA = ['basicConstraints=critical,CA:true', 'keyUsage=critical,keyCertSign,cRLSign'];

let openssl: OpenSsl;
let root: KeyPair;
let sub1: KeyPair;
let sub2: KeyPair;
let leaf: KeyPair;
beforeAll(async () => {
  openssl = await OpenSsl.open();
  root = await openssl.root();
  sub1 = await openssl.certificate({ subject: '/CN=Sub 1', issuer: root, extensions: CA });
  sub2 = await openssl.certificate({ subject: '/CN=Sub 2', issuer: sub1, extensions: CA, keyType: 'rsa' });
  leaf = await openssl.certificate({ subject: '/O=Operator/CN=CP1', issuer: sub2 });
}, 30_000);
afterAll(() => openssl.close());

function read(...pairs: KeyPair[]): Certificate[] {
  return pairs.map(({ certificate }) => Certificate.parse(certificate));
}

function judge(chain: Certificate[], more: Partial<Parameters<typeof validatePath>[0]> = {}) {
  return validatePath({ chain, anchors: read(root), at: new Date(), ...more });
}

describe('a path', () => {
  test('is found in any order, and with what we know of authorities', () => {
    const [own, one, two, top] = read(leaf, sub1, sub2, root) as [
      Certificate,
      Certificate,
      Certificate,
      Certificate,
    ];
    for (const chain of [
      [own, two, one],
      [own, one, two],
      [own, two, one, top],
    ]) {
      const result = judge(chain);
      expect(result.ok && result.path.map(({ subject }) => subject.CN)).toEqual([
        'CP1',
        'Sub 2',
        'Sub 1',
        'Test Root',
      ]);
    }
    expect(judge([own], { intermediates: [one, two] })).toMatchObject({ ok: true });
    expect(judge([own, two, one], { anchors: [two] })).toMatchObject({ ok: true });
  });

  test('is refused with its fault, named', async () => {
    const [own] = read(leaf);
    if (!own) throw new Error('no leaf');
    const later = new Date(Date.now() + 400 * 86_400_000);
    expect(judge(read(leaf, sub2, sub1), { at: later })).toMatchObject({ fault: 'expired' });
    expect(judge(read(leaf, sub2, sub1), { at: new Date(0) })).toMatchObject({ fault: 'notYetValid' });
    expect(judge([own])).toMatchObject({
      fault: 'unknownAuthority',
      reason: 'the certificate of CP1 is issued by Sub 2, which is not trusted here',
    });
    const stranger = await openssl.root('/CN=Sub 2', 'rsa');
    expect(judge(read(leaf, stranger))).toMatchObject({ fault: 'badSignature' });
    const byLeaf = await openssl.certificate({ subject: '/CN=CP2', issuer: leaf });
    expect(judge(read(byLeaf, leaf, sub2, sub1))).toMatchObject({ fault: 'notACa' });
    const server = await openssl.certificate({
      subject: '/CN=CP3',
      issuer: root,
      extensions: ['extendedKeyUsage=serverAuth'],
    });
    expect(judge(read(server), { purpose: 'clientAuth' })).toMatchObject({ fault: 'wrongPurpose' });
    expect(judge(read(server), { purpose: 'serverAuth' })).toMatchObject({ ok: true });
    const odd = await openssl.certificate({
      subject: '/CN=CP4',
      issuer: root,
      extensions: ['1.2.3.4=critical,DER:0500'],
    });
    expect(judge(read(odd))).toMatchObject({ fault: 'unknownExtension' });
    const narrow = await openssl.certificate({
      subject: '/CN=Narrow',
      issuer: root,
      extensions: ['basicConstraints=critical,CA:true,pathlen:0', 'keyUsage=critical,keyCertSign'],
    });
    const below = await openssl.certificate({ subject: '/CN=Below', issuer: narrow, extensions: CA });
    const deep = await openssl.certificate({ subject: '/CN=CP5', issuer: below });
    expect(judge(read(deep, below, narrow))).toMatchObject({ fault: 'pathTooLong' });
    expect(
      judge(read(await openssl.certificate({ subject: '/CN=CP6', issuer: narrow }), narrow)),
    ).toMatchObject({ ok: true });
  }, 20_000);

  test('that never ends does', async () => {
    const again = await openssl.certificate({
      subject: '/CN=Test Root',
      issuer: { ...sub1 },
      extensions: CA,
    });
    expect(judge(read(again, sub1, again), { anchors: [] })).toMatchObject({ ok: false });
  });
});

describe('reading', () => {
  test('names hashes as OCPP does', async () => {
    const [own, issuer] = read(leaf, sub2) as [Certificate, Certificate];
    const spki = await openssl.run('x509', '-in', await kept(sub2.certificate), '-pubkey', '-noout');
    const der = Buffer.from(spki.replace(/-----[^-]+-----|\s/g, ''), 'base64');
    for (const algorithm of ['SHA256', 'SHA384', 'SHA512'] as const) {
      const hash = own.hashData(issuer, algorithm);
      expect(hash.hashAlgorithm).toBe(algorithm);
      // RSA of 2048 bits: the key itself is the end of its SubjectPublicKeyInfo.
      expect(hash.issuerKeyHash).toBe(createHash(algorithm).update(der.subarray(24)).digest('hex'));
    }
    const told = await openssl.run(
      'x509',
      '-in',
      await kept(leaf.certificate),
      '-noout',
      '-ocspid',
      '-serial',
    );
    expect(told.toLowerCase()).toMatch(new RegExp(`serial=0*${own.serialNumber}\\n`));
  });

  test('a bad certificate of several is named', () => {
    const bad = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
    expect(() => readChain(leaf.certificate + bad)).toThrow('certificate 2 of 2 cannot be read');
    expect(() => readChain('')).toThrow('there is no certificate in PEM');
  });

  test('mutated DER is read or refused, and nothing else', () => {
    const { der } = Certificate.parse(leaf.certificate);
    let refused = 0;
    for (let i = 0; i < 2000; i++) {
      const copy = Buffer.from(der).subarray(0, i % 5 === 0 ? randomInt(der.length) : der.length);
      for (let n = randomInt(4); n >= 0 && copy.length > 0; n--)
        copy[randomInt(copy.length)] = randomInt(256);
      for (const work of [() => judge([Certificate.parse(copy)]), () => readCrl(copy)])
        try {
          work();
        } catch (error) {
          expect(error).toBeInstanceOf(CertificateError);
          refused++;
        }
    }
    expect(refused).toBeGreaterThan(2000);
  });
});

async function kept(text: string): Promise<string> {
  const path = join(openssl.directory, `${Math.random()}.pem`);
  await writeFile(path, text);
  return path;
}

describe('asking a responder, that of openssl', () => {
  let responder: ChildProcess;
  let url: string;
  let revoked: KeyPair;
  beforeAll(async () => {
    revoked = await openssl.certificate({ subject: '/CN=Revoked', issuer: sub2 });
    const line = (pair: KeyPair, state: string): string => {
      const { serialNumber } = Certificate.parse(pair.certificate);
      const even = serialNumber.length % 2 ? `0${serialNumber}` : serialNumber;
      return `${state}\t${even.toUpperCase()}\tunknown\t/CN=x\n`;
    };
    const index = join(openssl.directory, 'index.txt');
    await writeFile(
      index,
      line(leaf, 'V\t351231235959Z\t') + line(revoked, 'R\t351231235959Z\t260102030405Z'),
    );
    const free = createServer().listen(0);
    const { port } = free.address() as AddressInfo;
    await new Promise((resolve) => free.close(resolve));
    url = `http://127.0.0.1:${port}`;
    const ca = await kept(sub2.certificate);
    const key = await kept(sub2.key);
    const args = ['-port', String(port), '-index', index, '-CA', ca, '-rsigner', ca, '-rkey', key];
    responder = spawn('openssl', ['ocsp', ...args, '-nmin', '10'], { stdio: ['ignore', 'pipe', 'pipe'] });
    await Promise.race([once(responder.stdout!, 'data'), once(responder.stderr!, 'data')]);
  });
  afterAll(() => void responder.kill());

  function client(timeoutMs = 5000): { ocsp: OcspClient; asked(): number } {
    let count = 0;
    const ocsp = new OcspClient({
      timeoutMs,
      post: async (to, body, signal) => {
        count++;
        const headers = { 'content-type': 'application/ocsp-request' };
        const answer = await fetch(to, { method: 'POST', headers, body: new Uint8Array(body), signal });
        return Buffer.from(await answer.arrayBuffer());
      },
    });
    return { ocsp, asked: () => count };
  }

  test('good, revoked, unknown; what was said is remembered', async () => {
    const [own, gone, issuer, other] = read(leaf, revoked, sub2, sub1) as [
      Certificate,
      Certificate,
      Certificate,
      Certificate,
    ];
    const { ocsp, asked } = client();
    expect(await ocsp.status(own, issuer, { url })).toMatchObject({ status: 'good' });
    expect(await ocsp.status(own, issuer, { url })).toMatchObject({ status: 'good' });
    expect(asked()).toBe(1);
    expect(await ocsp.status(gone, issuer, { url })).toMatchObject({
      status: 'revoked',
      revokedAt: new Date('2026-01-02T03:04:05Z'),
    });
    const unknown = { ...own.hashData(issuer, 'SHA512'), serialNumber: '99', responderUrl: url };
    expect(await ocsp.statusByHash(unknown, { issuers: [other, issuer] })).toMatchObject({
      status: 'unknown',
    });
    await expect(ocsp.statusByHash(unknown, { issuers: [other] })).rejects.toThrow('is not known here');
  });

  test('an answer that somebody else has signed, or that is to another question, is not believed', async () => {
    const [own, gone, issuer, other] = read(leaf, revoked, sub2, sub1) as [
      Certificate,
      Certificate,
      Certificate,
      Certificate,
    ];
    const { ocsp } = client();
    const { der } = await ocsp.status(own, issuer, { url });
    const replay = new OcspClient({ timeoutMs: 1000, post: async () => der });
    await expect(replay.status(own, issuer, { url })).rejects.toThrow('its nonce is not ours');
    await expect(replay.status(gone, other, { url })).rejects.toThrow(OcspError);
    for (const nonsense of [Buffer.alloc(0), Buffer.from('nonsense'), der.subarray(0, 100)]) {
      const odd = new OcspClient({ timeoutMs: 1000, post: async () => nonsense });
      await expect(odd.status(own, issuer, { url })).rejects.toThrow(OcspError);
    }
  });
});
