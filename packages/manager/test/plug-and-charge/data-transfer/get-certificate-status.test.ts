import type { Dialect } from '@evander/ocpp';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Issued } from '../../certificates/openssl-ca.ts';
import { openTestManager } from '../../test-manager.ts';
import type { TestManager } from '../../test-manager.ts';
import { hashDataOf, openPki, trust } from '../pnc-pki.ts';
import type { TestPki } from '../pnc-pki.ts';
import { tunnel } from '../pnc.ts';

let manager: TestManager;
let rejecting: TestManager;
let guarded: TestManager;
let pki: TestPki;
let leaf: Issued;
beforeAll(async () => {
  manager = await openTestManager({ outboundPrivate: true });
  rejecting = await openTestManager({ outboundPrivate: true, pnc: { has2beFailure: 'Rejected' } });
  guarded = await openTestManager();
  pki = await openPki('v2g');
  leaf = pki.contract('a station');
});
afterAll(async () => {
  for (const one of [manager, rejecting, guarded]) await one.close();
  await pki.close();
});
beforeEach(async () => {
  await manager.rows('TRUNCATE ocsp_answers, pnc_roots');
  pki.answerWith(undefined);
  pki.responder.asked.length = 0;
});

const FAILED = { status: 'Accepted', inner: { status: 'Failed' } };
type Algorithm = 'SHA256' | 'SHA384' | 'SHA512';
const dataOf = (algorithm: Algorithm = 'SHA256') =>
  hashDataOf(leaf, pki.sub, { algorithm, responderURL: `${pki.responder.url}/sub` });
const ask = (
  data: object = dataOf(),
  { at = manager, dialect = 'oca' }: { at?: TestManager; dialect?: Dialect } = {},
) => tunnel(at, { dialect, action: 'GetCertificateStatus' }, { ocspRequestData: data });

/** The output of openssl for an OCSP response. */
function evaluation(base64: string): string {
  const file = join(pki.sub.folder, 'answer.der');
  writeFileSync(file, Buffer.from(base64, 'base64'));
  const [issuer, root] = [pki.sub.issued.certificateFile, pki.root.issued.certificateFile];
  const about = ['-sha256', '-respin', file, '-issuer', issuer, '-cert', leaf.certificateFile];
  return execFileSync('openssl', ['ocsp', '-no_nonce', ...about, '-CAfile', root, '-verify_other', issuer], {
    stdio: ['ignore', 'pipe', 'pipe'],
  }).toString();
}

test("GetCertificateStatus returns the responder's answer, which openssl verifies", async () => {
  const { status, inner } = await ask();
  expect({ status, inner }).toMatchObject({ status: 'Accepted', inner: { status: 'Accepted' } });
  expect(evaluation((inner as { ocspResult: string }).ocspResult)).toContain(': good');
});

test.each(['SHA384', 'SHA512'] as const)('GetCertificateStatus works with %s', async (algorithm) => {
  expect((await ask(dataOf(algorithm))).inner).toMatchObject({ status: 'Accepted' });
});

test('OCSP responses are cached until their nextUpdate', async () => {
  const first = await ask();
  pki.answerWith(async () => ({ status: 500 }));
  expect(await ask()).toEqual(first);
  expect(pki.responder.asked).toHaveLength(1);
  manager.setNow(new Date(Date.now() + 2 * 86_400_000));
  expect(await ask()).toEqual(FAILED);
  manager.setNow(undefined);
});

test('for a known issuer, an answer with another signer is not returned', async () => {
  await trust(manager, pki.root, 'V2GRootCertificate');
  await trust(manager, pki.sub, 'V2GRootCertificate');
  expect((await ask()).inner).toMatchObject({ status: 'Accepted' });
  await manager.rows('TRUNCATE ocsp_answers');
  pki.answerWith(async (body) => ({ body: pki.sub.answerOcsp(body, pki.root.issued) }));
  expect(await ask()).toEqual(FAILED);
});

test.each([
  ['an error', async () => ({ status: 404 })],
  ['nothing', async () => ({ body: Buffer.alloc(0) })],
  ['noise', async () => ({ body: Buffer.from('noise') })],
  ['a refusal', async () => ({ body: Buffer.from('30030a0103', 'hex') })],
  ['more than an answer may hold', async () => ({ body: Buffer.alloc(2_000_000, 0x30) })],
])('a responder that answers with %s results in Failed', async (_name, answer) => {
  pki.answerWith(answer);
  expect(await ask()).toEqual(FAILED);
});

test.each([
  ['missing', undefined],
  ['a file', 'file:///etc/passwd'],
  ['unreachable', 'http://127.0.0.1:1/'],
  ['not a URL', 'here'],
])('a responder that is %s results in Failed', async (_name, responderURL) => {
  expect(await ask({ ...dataOf(), responderURL })).toEqual(FAILED);
});

test('responders at private addresses are not asked unless the settings say so', async () => {
  expect(await ask(dataOf(), { at: guarded })).toEqual(FAILED);
  expect(pki.responder.asked).toEqual([]);
});

test('has2be: the settings determine the status for a failure', async () => {
  const data = { ...dataOf(), responderURL: undefined };
  const dialect = 'has2be';
  expect((await ask(dataOf(), { dialect })).inner).toMatchObject({ status: 'Accepted' });
  expect((await ask(data, { dialect })).inner).toEqual({ status: 'Failed' });
  expect((await ask(data, { dialect, at: rejecting })).inner).toEqual({ status: 'Rejected' });
});
