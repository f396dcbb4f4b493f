import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createHash, randomInt } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OpenSsl } from '../../../test/openssl.ts';
import type { KeyPair } from '../../../test/openssl.ts';
import { Certificate, CertificateError, readChain, readCrl, validatePath } from '../src/index.ts';

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

function validate(chain: Certificate[], more: Partial<Parameters<typeof validatePath>[0]> = {}) {
  return validatePath({ chain, anchors: read(root), at: new Date(), ...more });
}

describe('a path', () => {
  test('is found in any order, and with known authorities', () => {
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
      const result = validate(chain);
      expect(result.ok && result.path.map(({ subject }) => subject.CN)).toEqual([
        'CP1',
        'Sub 2',
        'Sub 1',
        'Test Root',
      ]);
    }
    expect(validate([own], { intermediates: [one, two] })).toMatchObject({ ok: true });
    expect(validate([own, two, one], { anchors: [two] })).toMatchObject({ ok: true });
  });

  test('is rejected with the name of its fault', async () => {
    const [own] = read(leaf);
    if (!own) throw new Error('no leaf');
    const later = new Date(Date.now() + 400 * 86_400_000);
    expect(validate(read(leaf, sub2, sub1), { at: later })).toMatchObject({ fault: 'expired' });
    expect(validate(read(leaf, sub2, sub1), { at: new Date(0) })).toMatchObject({ fault: 'notYetValid' });
    expect(validate([own])).toMatchObject({
      fault: 'unknownAuthority',
      reason: 'the certificate of CP1 is issued by Sub 2, which is not trusted here',
    });
    const stranger = await openssl.root('/CN=Sub 2', 'rsa');
    expect(validate(read(leaf, stranger))).toMatchObject({ fault: 'badSignature' });
    const byLeaf = await openssl.certificate({ subject: '/CN=CP2', issuer: leaf });
    expect(validate(read(byLeaf, leaf, sub2, sub1))).toMatchObject({ fault: 'notACa' });
    const server = await openssl.certificate({
      subject: '/CN=CP3',
      issuer: root,
      extensions: ['extendedKeyUsage=serverAuth'],
    });
    expect(validate(read(server), { purpose: 'clientAuth' })).toMatchObject({ fault: 'wrongPurpose' });
    expect(validate(read(server), { purpose: 'serverAuth' })).toMatchObject({ ok: true });
    const odd = await openssl.certificate({
      subject: '/CN=CP4',
      issuer: root,
      extensions: ['1.2.3.4=critical,DER:0500'],
    });
    expect(validate(read(odd))).toMatchObject({ fault: 'unknownExtension' });
    const narrow = await openssl.certificate({
      subject: '/CN=Narrow',
      issuer: root,
      extensions: ['basicConstraints=critical,CA:true,pathlen:0', 'keyUsage=critical,keyCertSign'],
    });
    const below = await openssl.certificate({ subject: '/CN=Below', issuer: narrow, extensions: CA });
    const deep = await openssl.certificate({ subject: '/CN=CP5', issuer: below });
    expect(validate(read(deep, below, narrow))).toMatchObject({ fault: 'pathTooLong' });
    expect(
      validate(read(await openssl.certificate({ subject: '/CN=CP6', issuer: narrow }), narrow)),
    ).toMatchObject({ ok: true });
  }, 20_000);

  test('with a loop ends', async () => {
    const again = await openssl.certificate({
      subject: '/CN=Test Root',
      issuer: { ...sub1 },
      extensions: CA,
    });
    expect(validate(read(again, sub1, again), { anchors: [] })).toMatchObject({ ok: false });
  });
});

describe('reading', () => {
  test('computes hashes as OCPP does', async () => {
    const [own, issuer] = read(leaf, sub2) as [Certificate, Certificate];
    const spki = await openssl.run('x509', '-in', await saved(sub2.certificate), '-pubkey', '-noout');
    const der = Buffer.from(spki.replace(/-----[^-]+-----|\s/g, ''), 'base64');
    for (const algorithm of ['SHA256', 'SHA384', 'SHA512'] as const) {
      const hash = own.hashData(issuer, algorithm);
      expect(hash.hashAlgorithm).toBe(algorithm);
      // With 2048-bit RSA, the key is the end of its SubjectPublicKeyInfo.
      expect(hash.issuerKeyHash).toBe(createHash(algorithm).update(der.subarray(24)).digest('hex'));
    }
    const printed = await openssl.run(
      'x509',
      '-in',
      await saved(leaf.certificate),
      '-noout',
      '-ocspid',
      '-serial',
    );
    expect(printed.toLowerCase()).toMatch(new RegExp(`serial=0*${own.serialNumber}\\n`));
  });

  test('names the bad certificate of several', () => {
    const bad = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
    expect(() => readChain(leaf.certificate + bad)).toThrow('certificate 2 of 2 cannot be read');
    expect(() => readChain('')).toThrow('there is no certificate in PEM');
  });

  test('mutated DER is parsed or rejected cleanly', () => {
    const { der } = Certificate.parse(leaf.certificate);
    let refused = 0;
    for (let i = 0; i < 2000; i++) {
      const copy = Buffer.from(der).subarray(0, i % 5 === 0 ? randomInt(der.length) : der.length);
      for (let n = randomInt(4); n >= 0 && copy.length > 0; n--)
        copy[randomInt(copy.length)] = randomInt(256);
      for (const work of [() => validate([Certificate.parse(copy)]), () => readCrl(copy)])
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

async function saved(text: string): Promise<string> {
  const path = join(openssl.directory, `${Math.random()}.pem`);
  await writeFile(path, text);
  return path;
}
