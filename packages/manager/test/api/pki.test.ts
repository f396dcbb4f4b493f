import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Certificate, readCrl } from '@evander/pki';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OpenSsl } from '../../../../test/openssl.ts';
import { CSR } from '../certificates.ts';
import { openApi } from './harness.ts';
import type { TestApi } from './harness.ts';

let api: TestApi;
let openssl: OpenSsl;
beforeAll(async () => {
  [api, openssl] = await Promise.all([openApi(), OpenSsl.open()]);
});
afterAll(async () => {
  await api.close();
  await openssl.close();
});

async function keep(name: string, content: string | Buffer): Promise<string> {
  await writeFile(join(openssl.directory, name), content);
  return name;
}

test.each([
  ['station', 'root.pem', 'crl'],
  ['v2g', 'v2g-root.pem', 'v2g-crl'],
] as const)(
  'a certificate of use %s, revoked, is told so by list and responder, without a key',
  async (usage, rootName, listName) => {
    const chain = await api.certificates.authority.issueForStation('CP1', CSR, usage);
    const { serialNumber } = Certificate.parse(chain);
    const root = await keep(rootName, await (await fetch(`${api.url}/pki/${rootName}`)).text());
    const own = await keep('own.pem', Certificate.parse(chain).pem);
    const ask = ['ocsp', '-issuer', root, '-CAfile', root, '-cert', own, '-url', `${api.url}/pki/ocsp`];
    expect(await openssl.run(...ask)).toContain('own.pem: good');
    const revocation = await api.send('POST', `/api/v1/issued-certificates/${serialNumber}/revocation`, {
      reason: 'keyCompromise',
    });
    expect(revocation).toMatchObject({
      status: 200,
      body: { serialNumber, revocationReason: 'keyCompromise' },
    });
    expect(await openssl.run(...ask)).toContain('own.pem: revoked');
    const list = Buffer.from(await (await fetch(`${api.url}/pki/${listName}`)).arrayBuffer());
    expect(readCrl(list).has(serialNumber)).toBe(true);
    expect(
      readCrl(list).isSignedBy(Certificate.parse(await (await fetch(`${api.url}/pki/${rootName}`)).text())),
    ).toBe(true);
  },
);

test('what is no question is answered as RFC 6960 has it, by POST and GET', async () => {
  const headers = { 'content-type': 'application/ocsp-request' };
  const posted = await fetch(`${api.url}/pki/ocsp`, { method: 'POST', headers, body: 'nonsense' });
  const got = await fetch(`${api.url}/pki/ocsp/%25%25nonsense`);
  for (const answer of [posted, got])
    expect(Buffer.from(await answer.arrayBuffer()).toString('hex')).toBe('30030a0101');
  expect(
    (
      await fetch(`${api.url}/pki/ocsp`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{}',
      })
    ).status,
  ).toBe(415);
});

test('a root is trusted only if it is one, and its list only if it signed it', async () => {
  const root = await openssl.root('/O=Outside/CN=Root');
  const leaf = await openssl.certificate({ subject: '/CN=Leaf', issuer: root });
  const send = (body: object) =>
    api.send('POST', '/api/v1/trusted-roots', { organisations: ['Outside'], ...body });
  expect(await send({ certificate: 'nonsense' })).toMatchObject({
    status: 400,
    body: { field: 'certificate' },
  });
  expect(await send({ certificate: leaf.certificate })).toMatchObject({
    status: 400,
    body: { field: 'certificate' },
  });
  const list = await (await fetch(`${api.url}/pki/crl`)).arrayBuffer();
  const pem = `-----BEGIN X509 CRL-----\n${Buffer.from(list).toString('base64')}\n-----END X509 CRL-----\n`;
  expect(await send({ certificate: root.certificate, revocationList: pem })).toMatchObject({
    status: 400,
    body: { field: 'revocationList', detail: expect.stringContaining('not signed by the root') as unknown },
  });
  expect(await send({ certificate: root.certificate })).toMatchObject({
    status: 200,
    body: { hasRevocationList: false },
  });
  const { items } = (await api.send('GET', '/api/v1/trusted-roots')).body;
  expect(items).toMatchObject([{ subject: 'Root', organisations: ['Outside'] }]);
  const path = `/api/v1/trusted-roots/${String(items[0]?.fingerprint)}`;
  expect((await api.send('DELETE', path)).status).toBe(204);
  expect((await api.send('DELETE', path)).status).toBe(404);
});
