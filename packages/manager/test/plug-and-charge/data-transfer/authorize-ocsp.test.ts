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
beforeAll(async () => {
  manager = await openTestManager({ outboundPrivate: true });
  guarded = await openTestManager();
  pki = await openPki('mo');
  stranger = await openPki('stranger');
  good = pki.contract(EMAID);
  revoked = pki.contract(EMAID);
  pki.sub.revoke(revoked);
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
function hashes(leaf: Issued, algorithm: 'SHA256' | 'SHA384' | 'SHA512' = 'SHA256') {
  return [
    hashDataOf(leaf, pki.sub, { algorithm, responderURL: url('sub') }),
    hashDataOf(pki.sub.issued, pki.root, { algorithm, responderURL: url('root') }),
  ];
}
const reasons = () => manager.rows('SELECT status, certificate_status, reason FROM pnc_authorizations');

test.each(['SHA256', 'SHA384', 'SHA512'] as const)(
  'certificates identified by %s hash data are checked with the responders',
  async (algorithm) => {
    expect((await authorize({ iso15118CertificateHashData: hashes(good, algorithm) })).inner).toEqual(
      ACCEPTED,
    );
    expect((await authorize({ iso15118CertificateHashData: hashes(revoked, algorithm) })).inner).toEqual(
      blocked('CertificateRevoked'),
    );
  },
);

test('one revoked certificate of four is enough to block the contract', async () => {
  const data = [...hashes(good), ...hashes(revoked)];
  expect((await authorize({ iso15118CertificateHashData: data })).inner).toEqual(
    blocked('CertificateRevoked'),
  );
});

test('OCSP responses are cached: a responder is asked once', async () => {
  const data = { iso15118CertificateHashData: hashes(good) };
  await authorize(data);
  expect(pki.responder.asked).toHaveLength(2);
  pki.answerWith(async () => ({ status: 500 }));
  expect((await authorize(data)).inner).toEqual(ACCEPTED);
  expect((await authorize({ certificate: good.certificate + pki.sub.pem })).inner).toEqual(ACCEPTED);
  expect(pki.responder.asked).toHaveLength(2);
  // The response was valid for a day.
  manager.setNow(new Date(Date.now() + 2 * 86_400_000));
  expect((await authorize(data)).inner).toEqual(blocked('NoCertificateAvailable'));
  manager.setNow(undefined);
});

test.each([
  ['an error', async () => ({ status: 500 })],
  ['noise', async () => ({ body: Buffer.from('noise') })],
  ['the answer of another authority', async (body: Buffer) => ({ body: pki.root.answerOcsp(body) })],
  [
    'an answer that a stranger signed',
    async (body: Buffer) => ({ body: pki.sub.answerOcsp(body, stranger.root.issued) }),
  ],
])('a contract is blocked when its responder answers with %s', async (_name, answer) => {
  pki.answerWith(answer);
  const [leaf] = hashes(good);
  expect((await authorize({ iso15118CertificateHashData: [leaf] })).inner).toEqual(
    blocked('NoCertificateAvailable'),
  );
});

test('an answer to another request is not accepted', async () => {
  let first: Buffer | undefined;
  pki.answerWith(async (body) => ({ body: (first ??= pki.sub.answerOcsp(body)) }));
  const [leaf] = hashes(good);
  expect((await authorize({ iso15118CertificateHashData: [leaf] })).inner).toEqual(ACCEPTED);
  await manager.rows('TRUNCATE ocsp_answers');
  expect((await authorize({ iso15118CertificateHashData: [leaf] })).inner).toEqual(
    blocked('NoCertificateAvailable'),
  );
});

test.each([
  ['no responder', () => [{ ...hashes(good)[0], responderURL: undefined }]],
  ['a responder that is not a URL', () => [{ ...hashes(good)[0], responderURL: 'responder' }]],
  ['a file as responder', () => [{ ...hashes(good)[0], responderURL: 'file:///etc/passwd' }]],
  ['an unknown algorithm', () => [{ ...hashes(good)[0], hashAlgorithm: 'MD5' }]],
  [
    'a certificate that its CA does not know',
    () => [{ ...hashes(good)[0], serialNumber: '0102030405060708' }],
  ],
])('a contract is blocked when its hash data have %s', async (_name, data) => {
  expect((await authorize({ iso15118CertificateHashData: data() })).inner).toEqual(
    blocked('NoCertificateAvailable'),
  );
});

test('responders at private addresses are not asked unless the settings say so', async () => {
  const { inner } = await authorize({ iso15118CertificateHashData: hashes(good) }, { at: guarded });
  expect(inner).toEqual(blocked('NoCertificateAvailable'));
  expect(pki.responder.asked).toEqual([]);
  expect(await guarded.rows('SELECT reason FROM pnc_authorizations')).toMatchObject([
    { reason: expect.stringContaining('EVANDER_OUTBOUND_PRIVATE') as unknown },
  ]);
});

test('an outdated answer is not accepted', async () => {
  manager.setNow(new Date(Date.now() + 2 * 86_400_000));
  expect((await authorize({ iso15118CertificateHashData: hashes(good) })).inner).toEqual(
    blocked('NoCertificateAvailable'),
  );
  manager.setNow(undefined);
});

test('an answer about another certificate is not accepted', async () => {
  const answer = pki.sub.answerOcsp(pki.sub.askOcsp(good));
  pki.answerWith(async () => ({ body: answer }));
  const ask = (leaf: Issued) => authorize({ iso15118CertificateHashData: hashes(leaf).slice(0, 1) });
  expect((await ask(good)).inner).toEqual(ACCEPTED);
  expect((await ask(revoked)).inner).toEqual(blocked('NoCertificateAvailable'));
});

test('an answer is rejected if its signer is not authorized by the issuer', async () => {
  pki.answerWith(async (body) => ({ body: pki.sub.answerOcsp(body, good) }));
  expect((await authorize({ iso15118CertificateHashData: hashes(revoked).slice(0, 1) })).inner).toEqual(
    blocked('NoCertificateAvailable'),
  );
});

test('an answer for an unknown issuer is not accepted', async () => {
  const leaf = stranger.contract(EMAID);
  const responderURL = `${stranger.responder.url}/sub`;
  const data = [hashDataOf(leaf, stranger.sub, { responderURL })];
  expect((await authorize({ iso15118CertificateHashData: data })).inner).toEqual(
    blocked('NoCertificateAvailable'),
  );
  expect(await reasons()).toMatchObject([
    { reason: expect.stringContaining('/api/v1/pnc-roots') as unknown },
  ]);
});

test('revoked takes precedence over unknown', async () => {
  const data = [{ ...hashes(good)[0], responderURL: undefined }, hashes(revoked)[0]];
  expect((await authorize({ iso15118CertificateHashData: data })).inner).toEqual(
    blocked('CertificateRevoked'),
  );
});
