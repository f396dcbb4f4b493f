import { Certificate, ocspRequest, readCrl, readOcspResponse } from '@evander/pki';
import { Sealer } from '@evander/process';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OpenSsl } from '../../../../test/openssl.ts';
import { Authority } from '../../src/certificates/authority.ts';
import { openApi } from '../http/harness.ts';
import type { TestApi } from '../http/harness.ts';
import { CSR } from './certificates.ts';

let api: TestApi;
let openssl: OpenSsl;
beforeAll(async () => {
  [api, openssl] = await Promise.all([openApi(), OpenSsl.open()]);
});
afterAll(async () => {
  await api.close();
  await openssl.close();
});

async function save(name: string, content: string | Buffer): Promise<string> {
  await writeFile(join(openssl.directory, name), content);
  return name;
}

test.each([
  ['station', 'root.pem', 'crl'],
  ['v2g', 'v2g-root.pem', 'v2g-crl'],
] as const)(
  'list and responder report a revoked certificate of usage %s, without an API key',
  async (usage, rootName, listName) => {
    const chain = await api.certificates.authority.issueForStation('CP1', CSR, usage);
    const { serialNumber } = Certificate.parse(chain);
    const root = await save(rootName, await (await fetch(`${api.url}/pki/${rootName}`)).text());
    const own = await save('own.pem', Certificate.parse(chain).pem);
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

test('invalid OCSP requests are answered as RFC 6960 requires, by POST and GET', async () => {
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

/** An OCSP request for a certificate, each time with a new nonce. */
function questionFor(chain: string, root: string): Buffer {
  return ocspRequest(Certificate.parse(chain).hashData(Certificate.parse(root)), randomBytes(16));
}

async function download(path: string, init: RequestInit = {}): Promise<Buffer> {
  return Buffer.from(await (await fetch(api.url + path, init)).arrayBuffer());
}

function ask(body: Buffer): Promise<Buffer> {
  const headers = { 'content-type': 'application/ocsp-request' };
  return download('/pki/ocsp', { method: 'POST', headers, body });
}

test.each(['station', 'v2g'] as const)(
  'answers for a certificate of usage %s are signed once, until any manager revokes it',
  async (usage) => {
    const { authority } = api.certificates;
    const other = new Authority({
      ...{ database: api.manager.database, sealer: new Sealer('a secret'), now: api.manager.now },
      ...{ organisation: 'Operator', stationDays: 30 },
    });
    const name = usage === 'v2g' ? 'v2g' : 'evander';
    const list = usage === 'v2g' ? '/pki/v2g-crl' : '/pki/crl';
    const chain = await authority.issueForStation('CP1', CSR, usage);
    const { serialNumber } = Certificate.parse(chain);
    const root = await authority.rootPem(name);
    const question = (): Buffer => questionFor(chain, root);
    const begin = new Date();
    api.manager.setNow(begin);
    const good = await ask(question());
    const before = await download(list);
    const atOther = await other.answerOcsp(question());
    await other.revocationList(name);
    // An answer signed in another second would differ.
    api.manager.setNow(new Date(begin.getTime() + 29 * 60_000));
    expect(await ask(question())).toEqual(good);
    expect(await download(list)).toEqual(before);
    expect(readCrl(before).has(serialNumber)).toBe(false);
    expect(await other.answerOcsp(question())).toEqual(atOther);

    await api.send('POST', `/api/v1/issued-certificates/${serialNumber}/revocation`, {});
    const hash = Certificate.parse(chain).hashData(Certificate.parse(root));
    for (const answer of [await ask(question()), await other.answerOcsp(question())])
      expect(readOcspResponse(answer, hash).status).toBe('revoked');
    for (const after of [await download(list), await other.revocationList(name)])
      expect(readCrl(after).has(serialNumber)).toBe(true);
    api.manager.setNow(undefined);
  },
);

test('answers are signed again when half of their validity has passed', async () => {
  const { authority } = api.certificates;
  const chain = await authority.issueForStation('CP1', CSR);
  const root = await authority.rootPem();
  const hash = Certificate.parse(chain).hashData(Certificate.parse(root));
  const begin = new Date('2027-01-01T00:00:00Z');
  for (const [minutes, producedAt, listedAt] of [
    [0, 0, 0],
    [29, 0, 0],
    [31, 31, 0],
    [59, 31, 0],
    [721, 721, 721],
    // The clock was set back.
    [1, 1, 1],
  ] as const) {
    api.manager.setNow(new Date(begin.getTime() + minutes * 60_000));
    const { thisUpdate } = readOcspResponse(await ask(questionFor(chain, root)), hash);
    expect((thisUpdate.getTime() - begin.getTime()) / 60_000).toBe(producedAt);
    const list = readCrl(await download('/pki/crl'));
    expect((list.thisUpdate.getTime() - begin.getTime()) / 60_000).toBe(listedAt);
  }
  api.manager.setNow(undefined);
});

test('removing a station revokes its certificates, and the list shows it immediately', async () => {
  const { authority } = api.certificates;
  await api.send('PUT', '/api/v1/stations/REMOVED', {});
  const chain = await authority.issueForStation('REMOVED', CSR);
  const { serialNumber } = Certificate.parse(chain);
  expect(readCrl(await download('/pki/crl')).has(serialNumber)).toBe(false);
  await api.send('DELETE', '/api/v1/stations/REMOVED');
  expect(readCrl(await download('/pki/crl')).has(serialNumber)).toBe(true);
});

test('nothing is signed for certificates that the authority did not issue, or for other issuers', async () => {
  const { authority } = api.certificates;
  const root = Certificate.parse(await authority.rootPem());
  const own = Certificate.parse(await authority.issueForStation('CP1', CSR));
  const hash = own.hashData(root);
  const v2g = Certificate.parse(await authority.rootPem('v2g'));
  for (const data of [
    { ...hash, serialNumber: '1234' },
    { ...hash, issuerNameHash: '00'.repeat(32) },
    { ...hash, issuerKeyHash: '00'.repeat(32) },
    // A certificate of one authority, requested as if the other had issued it.
    own.hashData(v2g),
  ])
    expect((await ask(ocspRequest(data, undefined))).toString('hex')).toBe('30030a0106');
});

test.each(['/pki/crl', '/pki/v2g-crl', '/openapi.json', '/docs/json', '/docs/yaml'])(
  '%s is answered with 304 if the client has it already',
  async (path) => {
    const first = await fetch(api.url + path);
    expect(first.status).toBe(200);
    expect(first.headers.get('cache-control')).toBe('no-cache');
    const etag = String(first.headers.get('etag'));
    for (const known of [etag, `"other", W/${etag}`, '*']) {
      const again = await fetch(api.url + path, { headers: { 'if-none-match': known } });
      expect([known, again.status, await again.text()]).toEqual([known, 304, '']);
    }
    const changed = await fetch(api.url + path, { headers: { 'if-none-match': '"other"' } });
    expect(await changed.text()).toBe(await first.text());
  },
);

test('only CA certificates are accepted as roots, and only lists that the root signed', async () => {
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
