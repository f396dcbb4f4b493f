import type { Dialect } from '@evander/ocpp';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Issued } from '../../certificates/openssl-ca.ts';
import { addTag, openTestManager } from '../../test-manager.ts';
import type { TestManager } from '../../test-manager.ts';
import { hashDataOf, openPki, trust } from '../pnc-pki.ts';
import type { TestPki } from '../pnc-pki.ts';
import { tunnel } from '../pnc.ts';

const EMAID = 'DE8AACA2B3C4D5';
let manager: TestManager;
let guarded: TestManager;
let pki: TestPki;
let stranger: TestPki;
let good: Issued;
let revoked: Issued;
let expired: Issued;
beforeAll(async () => {
  manager = await openTestManager({ outboundPrivate: true });
  guarded = await openTestManager();
  pki = await openPki('mo');
  stranger = await openPki('stranger');
  good = pki.contract(EMAID);
  revoked = pki.contract(EMAID);
  pki.sub.revoke(revoked);
  expired = pki.contract(EMAID, { end: '20210101000000Z' });
  for (const one of [manager, guarded]) {
    await trust(one, pki.root);
    await trust(one, pki.sub);
    await addTag(one, EMAID);
  }
});
afterAll(async () => {
  await manager.close();
  await guarded.close();
  await pki.close();
  await stranger.close();
});
beforeEach(async () => {
  await manager.rows('TRUNCATE pnc_authorizations, ocsp_answers');
  pki.answerWith(undefined);
  pki.responder.asked.length = 0;
});

const authorize = (evidence: object, { emaid = EMAID, at = manager } = {}) =>
  tunnel(at, { dialect: 'oca', action: 'Authorize' }, { idToken: { idToken: emaid }, ...evidence });

const ACCEPTED = { certificateStatus: 'Accepted', idTokenInfo: { status: 'Accepted' } };
const blocked = (certificateStatus: string) => ({ certificateStatus, idTokenInfo: { status: 'Blocked' } });

const url = (path: string) => `${pki.responder.url}/${path}`;
const reasons = () => manager.rows('SELECT status, certificate_status, reason FROM pnc_authorizations');

test('a good chain is accepted, and its status is stored', async () => {
  expect(await authorize({ certificate: good.certificate + pki.sub.pem })).toEqual({
    status: 'Accepted',
    inner: ACCEPTED,
  });
  expect(await reasons()).toEqual([{ status: 'Accepted', certificate_status: 'Accepted', reason: null }]);
  expect(pki.responder.asked.map(({ path }) => path).sort()).toEqual(['/root', '/sub']);
});

test('sub-CAs that a station omits are taken from the trusted ones', async () => {
  expect((await authorize({ certificate: good.certificate })).inner).toEqual(ACCEPTED);
});

test('a certificate is valid only for its own eMAID, in any form', async () => {
  const certificate = good.certificate + pki.sub.pem;
  const other = await authorize({ certificate }, { emaid: 'DE-8AA-CA2B3C4D5-L' });
  expect(other.inner).toEqual(ACCEPTED);
  await addTag(manager, 'DE8AACA2B3C4D6');
  expect((await authorize({ certificate }, { emaid: 'DE8AACA2B3C4D6' })).inner).toEqual(
    blocked('CertChainError'),
  );
});

test.each([
  ['revoked', () => revoked.certificate + pki.sub.pem, 'CertificateRevoked'],
  ['expired', () => expired.certificate + pki.sub.pem, 'CertificateExpired'],
  ['from an unknown CA', () => stranger.contract(EMAID).certificate + stranger.sub.pem, 'CertChainError'],
  [
    'with a sub-CA that did not issue it',
    () => stranger.contract(EMAID).certificate + pki.sub.pem,
    'CertChainError',
  ],
  ['broken', () => good.certificate.replace('MII', 'AAA'), 'CertChainError'],
  ['no certificate', () => 'what?', 'CertChainError'],
  ['with a wrong signature', () => forged(good.certificate) + pki.sub.pem, 'SignatureError'],
])('a chain that is %s is not accepted', async (_name, certificate, status) => {
  expect((await authorize({ certificate: certificate() })).inner).toEqual(blocked(status));
  expect(await reasons()).toEqual([
    { status: 'Blocked', certificate_status: status, reason: expect.any(String) as unknown },
  ]);
});

/** The same certificate with the last byte of its signature changed. */
function forged(pem: string): string {
  const der = Buffer.from(pem.replace(/-----.*-----/g, ''), 'base64');
  der[der.length - 1] = (der.at(-1) ?? 0) ^ 1;
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

test('an ended contract is cancelled and an unknown one invalid, even if their certificates are good', async () => {
  const [ended, unknown] = ['DE8AACENDED123', 'DE8AACNOBODY12'];
  await addTag(manager, ended, { expiry_date: '2021-01-01T00:00:00Z' });
  expect((await authorize({ certificate: pki.contract(ended).certificate }, { emaid: ended })).inner).toEqual(
    {
      certificateStatus: 'ContractCancelled',
      idTokenInfo: { status: 'Expired', cacheExpiryDateTime: '2021-01-01T00:00:00.000Z' },
    },
  );
  expect(
    (await authorize({ certificate: pki.contract(unknown).certificate }, { emaid: unknown })).inner,
  ).toEqual({
    certificateStatus: 'Accepted',
    idTokenInfo: { status: 'Invalid' },
  });
});

test.each([
  ['good', () => good, 'Accepted', 'Accepted'],
  ['revoked', () => revoked, 'CertificateRevoked', 'Blocked'],
  ['unknown', () => stranger.contract(EMAID), 'CertificateRevoked', 'Blocked'],
] as const)('has2be: a contract that is %s', async (_name, leaf, certificateStatus, status) => {
  const dialect: Dialect = 'has2be';
  const { inner } = await tunnel(
    manager,
    { dialect, action: 'authorize' },
    {
      idToken: { idToken: EMAID, type: 'eMAID' },
      '15118CertificateHashData': [
        hashDataOf(leaf(), leaf() === good || leaf() === revoked ? pki.sub : stranger.sub, {
          responderURL: url('sub'),
        }),
      ],
    },
  );
  expect(inner).toEqual({ certificateStatus, idTokenInfo: { status } });
});
