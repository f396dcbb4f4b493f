import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { OpenSsl } from '../../../test/openssl.ts';
import { webcrypto } from 'node:crypto';
import { x509 } from '../src/x509.ts';
import {
  Certificate,
  CertificateAuthority,
  faultsOf,
  OCSP_MALFORMED_REQUEST,
  OCSP_UNAUTHORIZED,
  readCrl,
  readOcspQuestion,
  readSigningRequest,
} from '../src/index.ts';

let openssl: OpenSsl;
const authorities = {} as Record<'rsa' | 'ec', CertificateAuthority>;
beforeAll(async () => {
  openssl = await OpenSsl.open();
  for (const keyType of ['rsa', 'ec'] as const)
    authorities[keyType] = await CertificateAuthority.create({
      commonName: 'Test Root',
      organisation: 'Operator',
      keyType,
      validForDays: 100,
    });
}, 30_000);
afterAll(() => openssl.close());

async function file(name: string, text: string | Buffer): Promise<string> {
  const path = join(openssl.directory, name);
  await writeFile(path, text);
  return path;
}

/** A request created by openssl; `more` follows its `req`. */
async function csr(subject: string, ...key: string[]): Promise<string> {
  const out = join(openssl.directory, `${Math.random()}.csr`);
  await openssl.run('req', '-new', '-nodes', '-keyout', `${out}.key`, '-out', out, '-subj', subject, ...key);
  return readFile(out, 'utf8');
}

const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];

describe.each(['rsa', 'ec'] as const)('an authority with a key of kind %s', (keyType) => {
  test('issues certificates that openssl accepts: clients, servers, and authorities below it', async () => {
    const root = authorities[keyType];
    const below = await CertificateAuthority.create({
      commonName: 'Below',
      organisation: 'Operator',
      keyType: 'ec',
      validForDays: 50,
      issuer: root,
    });
    const chain = await below.issueFromRequest(await csr('/O=Ignored/CN=CP1', ...EC), {
      subject: { CN: 'CP1', O: 'Operator' },
      validForDays: 10,
      usage: 'client',
      ocspUrl: 'http://csms.example/pki/ocsp',
      crlUrl: 'http://csms.example/pki/crl',
    });
    const [leaf = '', middle = ''] = chain.split(/(?<=-----END CERTIFICATE-----\n)/);
    const trusted = ['-CAfile', await file('root.pem', root.certificatePem)];
    const untrusted = ['-untrusted', await file('middle.pem', middle)];
    await openssl.run(
      'verify',
      '-x509_strict',
      '-purpose',
      'sslclient',
      ...trusted,
      ...untrusted,
      await file('leaf.pem', leaf),
    );
    const certificate = Certificate.parse(leaf);
    expect(certificate).toMatchObject({
      subject: { CN: 'CP1', O: 'Operator' },
      issuer: { CN: 'Below', O: 'Operator' },
      isCa: false,
      ocspUrls: ['http://csms.example/pki/ocsp'],
    });
    const server = await root.issueServer({ names: ['csms.example', '192.0.2.1'], keyType, validForDays: 5 });
    const path = await file('server.pem', server.chainPem);
    await openssl.run(
      'verify',
      '-x509_strict',
      '-purpose',
      'sslserver',
      '-verify_hostname',
      'csms.example',
      ...trusted,
      path,
    );
    await openssl.run('verify', '-verify_ip', '192.0.2.1', ...trusted, path);
  });

  test('is unchanged after export and load; nothing outlives it', async () => {
    const root = authorities[keyType];
    const loaded = await CertificateAuthority.load({
      chainPem: root.chainPem,
      keyPem: await root.exportKey(),
    });
    const { chainPem } = await loaded.issueServer({ names: ['a.example'], keyType, validForDays: 1000 });
    const certificate = Certificate.parse(chainPem);
    expect(certificate.isIssuedBy(Certificate.parse(root.certificatePem))).toBe(true);
    expect(certificate.notAfter).toEqual(Certificate.parse(root.certificatePem).notAfter);
  });

  test('issues a revocation list that openssl can read', async () => {
    const root = authorities[keyType];
    const { chainPem } = await root.issueServer({ names: ['a.example'], keyType: 'ec', validForDays: 1 });
    const { serialNumber } = Certificate.parse(chainPem);
    const der = await root.crl({
      revoked: [{ serialNumber, revokedAt: new Date(Date.now() - 60_000), reason: 'keyCompromise' }],
      thisUpdate: new Date(),
      nextUpdate: new Date(Date.now() + 3_600_000),
    });
    const list = readCrl(der);
    expect(list.has(serialNumber)).toBe(true);
    expect(list.has('01')).toBe(false);
    expect(list.isSignedBy(Certificate.parse(root.certificatePem))).toBe(true);
    expect(
      list.isSignedBy(Certificate.parse(authorities[keyType === 'ec' ? 'rsa' : 'ec'].certificatePem)),
    ).toBe(false);
    const trusted = await file('root.pem', root.certificatePem);
    const text = await openssl.run(
      'crl',
      '-inform',
      'DER',
      '-in',
      await file('list', der),
      '-CAfile',
      trusted,
      '-noout',
      '-text',
    );
    expect(text.toLowerCase()).toContain(serialNumber);
    expect(text).toContain('Key Compromise');
    const crl = await openssl.run('crl', '-inform', 'DER', '-in', join(openssl.directory, 'list'));
    const check = ['-crl_check', '-CRLfile', await file('list.pem', crl), '-CAfile', trusted];
    await expect(openssl.run('verify', ...check, await file('revoked.pem', chainPem))).rejects.toThrow(
      'revoked',
    );
  });
});

describe('a responder', () => {
  let server: Server;
  let url: string;
  const revoked = new Set<string>();
  const answer = async (request: Buffer): Promise<Buffer> => {
    const question = readOcspQuestion(request);
    if (!question) return OCSP_MALFORMED_REQUEST;
    if (!authorities.rsa.isIssuerOf(question)) return OCSP_UNAUTHORIZED;
    const revocation = { revokedAt: new Date('2026-01-02T03:04:05Z'), reason: 'superseded' };
    const status = revoked.has(question.serialNumber) ? revocation : 'good';
    return authorities.rsa.answerOcsp(question, { status, at: new Date() });
  };
  beforeAll(async () => {
    server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        void answer(Buffer.concat(chunks)).then((answer) =>
          response.setHeader('content-type', 'application/ocsp-response').end(answer),
        );
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  });
  afterAll(() => void server.close());

  /** How openssl evaluates an answer: it checks signature and times. */
  async function ask(...question: string[]): Promise<string> {
    const issuer = await file('root.pem', authorities.rsa.certificatePem);
    const args = ['ocsp', '-issuer', issuer, '-CAfile', issuer, '-url', url, ...question];
    const { stdout, stderr } = await promisify(execFile)('openssl', args);
    return stdout + stderr;
  }

  test('answers openssl with good, and with revoked, time and reason, for any hash', async () => {
    const { chainPem } = await authorities.rsa.issueServer({
      names: ['a.example'],
      keyType: 'ec',
      validForDays: 1,
    });
    const certificate = await file('server.pem', chainPem);
    expect(await ask('-cert', certificate)).toMatch(/: good[^]*Response verify OK/);
    expect(await ask('-sha256', '-cert', certificate)).toMatch(/: good/);
    revoked.add(Certificate.parse(chainPem).serialNumber);
    const output = await ask('-sha384', '-cert', certificate);
    expect(output).toMatch(/: revoked[^]*Response verify OK/);
    expect(output).toContain('superseded');
    expect(output).toContain('Jan  2 03:04:05 2026');
    for (const hash of ['-sha1', '-sha256', '-sha384', '-sha512'])
      expect(await ask(hash, '-cert', certificate)).toMatch(/: revoked/);
  });

  test('answers unauthorized for another authority and malformed for invalid data', async () => {
    const other = await file('other.pem', authorities.ec.certificatePem);
    const rejected = promisify(execFile)('openssl', ['ocsp', '-issuer', other, '-serial', '1', '-url', url]);
    await expect(rejected).rejects.toMatchObject({
      stdout: expect.stringContaining('unauthorized') as unknown,
    });
    for (const nonsense of [Buffer.alloc(0), Buffer.from('nonsense'), Buffer.from('3003020101', 'hex')])
      expect(await answer(nonsense)).toEqual(OCSP_MALFORMED_REQUEST);
  });
});

describe('a request', () => {
  const names = { names: ['CP1', 'SERIAL-1'] };

  test.each([
    ['EC', EC],
    ['RSA', ['-newkey', 'rsa:2048']],
  ])('with a good %s key may be signed', async (_kind, key) => {
    const request = readSigningRequest(await csr('/O=Operator/CN=SERIAL-1', ...key));
    expect(await faultsOf(request, names)).toEqual([]);
  });

  test('may come as bare base64, as Edition 1 sends it', async () => {
    const pem = await csr('/CN=CP1', ...EC);
    const base64 = pem.replace(/-----[^-]+-----|\s/g, '');
    expect(readSigningRequest(base64).subject).toEqual({ CN: 'CP1' });
  });

  test.each([
    ['a weak RSA key', '/CN=CP1', ['-newkey', 'rsa:1024'], 'the RSA key has 1024 bits'],
    ['a weak curve', '/CN=CP1', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:secp192k1'], '192 bits'],
    ['another type of key', '/CN=CP1', ['-newkey', 'ed25519'], 'ed25519'],
    ['a weak hash', '/CN=CP1', ['-newkey', 'rsa:2048', '-sha1'], 'sha1'],
    [
      'another name',
      '/CN=CP2',
      EC,
      'the csr names "CP2"; a certificate of this station may name CP1 or SERIAL-1',
    ],
    ['no name', '/O=Operator', EC, 'the csr has no CN'],
  ])('with %s is rejected', async (_what, subject, key, fault) => {
    const request = readSigningRequest(await csr(subject, ...key));
    expect((await faultsOf(request, names)).join()).toContain(fault);
  });

  test('that hides extensions where another parser may find them is rejected', async () => {
    const keys = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign']);
    const named = [new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: 'CP2' }])];
    const plain = new x509.ExtensionsAttribute([]);
    const values = plain.values.concat(new x509.ExtensionsAttribute(named).values);
    for (const attributes of [
      [plain, new x509.ExtensionsAttribute(named)],
      [new x509.Attribute(plain.type, values)],
      [new x509.Attribute('1.3.6.1.4.1.311.2.1.14', new x509.ExtensionsAttribute(named).values)],
    ]) {
      const { rawData } = await x509.Pkcs10CertificateRequestGenerator.create({
        name: 'CN=CP1',
        keys,
        signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
        attributes,
      });
      const request = readSigningRequest(Buffer.from(rawData).toString('base64'));
      expect((await faultsOf(request, names)).join()).toContain('the csr asks for');
    }
  });

  test('whose signature does not match its key is rejected', async () => {
    const der = Buffer.from((await csr('/CN=CP1', ...EC)).replace(/-----[^-]+-----|\s/g, ''), 'base64');
    der[der.length - 5] = (der.at(-5) ?? 0) ^ 1;
    const request = readSigningRequest(der.toString('base64'));
    expect(await faultsOf(request, names)).toEqual(['the signature of the csr does not match its key']);
  });

  test('that is invalid is rejected with a message', () => {
    for (const text of [
      '',
      'nonsense',
      '-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----',
    ])
      expect(() => readSigningRequest(text)).toThrow('not a certificate request');
  });
});
