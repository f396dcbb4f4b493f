import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CertificateAuthority, readSigningRequest } from '../src/x509/authority.ts';
import { readChain } from '../src/x509/certificate.ts';
import type { Certificate } from '../src/x509/certificate.ts';
import { readDer } from '../src/x509/der.ts';
import { validatePath } from '../src/x509/path.ts';
import { OpensslCa } from './pnc-pki.ts';

let folder: string;
let root: OpensslCa;
let sub: OpensslCa;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'evander-x509-'));
  root = new OpensslCa(join(folder, 'root'));
  sub = new OpensslCa(join(folder, 'sub'), { by: root, options: {} });
});
afterAll(() => rmSync(folder, { recursive: true }));

const one = (pem: string): Certificate => {
  const [certificate] = readChain(pem) ?? [];
  if (!certificate) throw new Error('no certificate');
  return certificate;
};
const openssl = (...args: string[]): string =>
  execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] }).toString();

describe('an authority of ours', () => {
  test.each([
    ['EC P-256', ['ecparam', '-name', 'prime256v1', '-genkey', '-noout']],
    ['EC P-384', ['ecparam', '-name', 'secp384r1', '-genkey', '-noout']],
    ['EC P-521', ['ecparam', '-name', 'secp521r1', '-genkey', '-noout']],
    ['RSA', ['genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048']],
    ['Ed25519', ['genpkey', '-algorithm', 'ED25519']],
  ])('with a key of %s issues what openssl believes', (name, makeKey) => {
    const base = join(folder, name.replace(' ', '-'));
    for (const file of [`${base}.key`, `${base}-leaf.key`]) openssl(...makeKey, '-out', file);
    openssl(
      ...[
        'req',
        '-x509',
        '-key',
        `${base}.key`,
        '-subj',
        `/CN=${name}`,
        '-days',
        '30',
        '-out',
        `${base}.pem`,
      ],
      ...['-addext', 'keyUsage=critical,keyCertSign'],
    );
    openssl('req', '-new', '-key', `${base}-leaf.key`, '-subj', '/CN=SECC/DC=CPO', '-out', `${base}.csr`);
    const authority = new CertificateAuthority(
      readFileSync(`${base}.key`, 'utf8') + readFileSync(`${base}.pem`, 'utf8'),
    );
    const request = readSigningRequest(readFileSync(`${base}.csr`, 'utf8'));
    const issued = authority.issueFromRequest(request, { days: 90, now: new Date() });
    writeFileSync(`${base}-leaf.pem`, issued);
    expect(openssl('verify', '-x509_strict', '-CAfile', `${base}.pem`, `${base}-leaf.pem`)).toContain('OK');
    const text = openssl(
      'x509',
      '-in',
      `${base}-leaf.pem`,
      '-noout',
      '-text',
      '-ext',
      'keyUsage,basicConstraints',
    );
    expect(text).toContain('Digital Signature, Key Agreement');
    expect(text).toContain('CA:FALSE');
    const leaf = one(issued);
    expect(leaf.x509.subject).toBe('CN=SECC\nDC=CPO');
    // Not longer than the authority itself.
    expect(leaf.x509.validTo).toBe(one(readFileSync(`${base}.pem`, 'utf8')).x509.validTo);
  });
});

describe('validatePath', () => {
  const ask = (chain: string[], intermediates: string[] = [], when = new Date()) =>
    validatePath({
      chain: chain.map(one),
      anchors: [one(root.pem)],
      intermediates: intermediates.map(one),
      at: when,
    });

  test('builds a path from certificates in any order', () => {
    const leaf = sub.issue('leaf').certificate;
    const other = new OpensslCa(join(folder, 'other')).pem;
    expect(ask([leaf, other, sub.pem])).toMatchObject({ ok: true, path: { length: 3 } });
    expect(ask([leaf], [other, sub.pem])).toMatchObject({ ok: true });
    expect(ask([leaf], [other])).toMatchObject({ ok: false, fault: 'unknownIssuer' });
    expect(ask([])).toMatchObject({ ok: false, fault: 'unknownIssuer' });
  });

  test('a self-signed certificate that is none of ours ends no path', () => {
    const other = new OpensslCa(join(folder, 'another'));
    expect(ask([other.issue('leaf').certificate, other.pem])).toMatchObject({ fault: 'unknownIssuer' });
    expect(ask([other.pem])).toMatchObject({ fault: 'unknownIssuer' });
  });

  test('another authority of the same name and another key is not the issuer', () => {
    const twin = new OpensslCa(join(folder, 'twins', 'root'));
    expect(ask([twin.issue('leaf').certificate])).toMatchObject({ ok: false, fault: 'unknownIssuer' });
  });

  test('what is no authority has issued nothing', () => {
    const leaf = sub.issue('leaf');
    const fake = sub.issueBy(leaf, 'under a leaf');
    const answer = ask([fake.certificate, leaf.certificate, sub.pem]);
    expect(answer.ok).toBe(false);
    expect(answer).not.toMatchObject({ fault: 'signature' });
  });

  test('no more sub-CAs than an authority allows', () => {
    const narrow = new OpensslCa(join(folder, 'narrow'), { by: root, options: { pathLength: 0 } });
    const below = new OpensslCa(join(folder, 'below'), { by: narrow, options: {} });
    expect(ask([narrow.issue('leaf').certificate, narrow.pem])).toMatchObject({ ok: true });
    const deep = below.issue('leaf').certificate;
    expect(ask([deep, below.pem, narrow.pem])).toMatchObject({ ok: false, fault: 'notAuthority' });
  });

  test('all of it must be valid at the time', () => {
    const leaf = sub.issue('leaf').certificate;
    const later = new Date(Date.now() + 20 * 365 * 86_400_000);
    expect(ask([leaf, sub.pem], [], later)).toMatchObject({ ok: false, fault: 'expired' });
    expect(ask([leaf, sub.pem], [], new Date(0))).toMatchObject({ ok: false, fault: 'expired' });
  });
});

test.each(['', '30', '3080', '308400000001', '30850000000001', '3003', '020101020102'])(
  'DER that is none is refused: %s',
  (hex) => {
    expect(() => readDer(Buffer.from(hex, 'hex'))).toThrow('DER');
  },
);
