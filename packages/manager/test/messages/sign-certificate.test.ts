import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { CSR, ROOT_ONE, ROOT_TWO } from '../certificates/certificates.ts';
import { openTestManager } from '../test-manager.ts';
import type { TestManager } from '../test-manager.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await openTestManager();
});
afterAll(() => manager.close());
beforeEach(() => manager.rows('TRUNCATE certificate_requests, configuration_keys'));

let second = 0;
async function sign(csr = CSR, question: object = {}): Promise<unknown> {
  const receivedAt = new Date(Date.UTC(2026, 10, 20, 10, 0, second++)).toISOString();
  return (await manager.ask('SignCertificate', { csr }, { receivedAt, ...question })).response;
}

async function requests(): Promise<Record<string, unknown>[]> {
  return manager.rows('SELECT * FROM certificate_requests ORDER BY certificate_request_id');
}

const certificateChain = ROOT_ONE + ROOT_TWO;

test('SignCertificate is stored, and CertificateSigned answers it', async () => {
  expect(await sign()).toEqual({ status: 'Accepted' });
  expect(await requests()).toMatchObject([
    { station_id: 'CP1', csr: CSR, state: 'requested', command_id: null },
  ]);
  const { commandId } = await manager.command('CertificateSigned', { certificateChain });
  expect(await requests()).toMatchObject([
    { state: 'signed', command_id: commandId, certificate_chain: certificateChain },
  ]);
  const call = manager.sent().at(-1);
  if (call) await manager.answer(call, { status: 'Accepted' });
  expect(await requests()).toMatchObject([{ state: 'installed', completed_at: expect.any(Date) as unknown }]);
});

test.each([
  ['one line', CSR.replaceAll('\n', '')],
  ['CRLF', CSR.replaceAll('\n', '\r\n')],
  ['NEW CERTIFICATE REQUEST', CSR.replaceAll('CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST')],
])('SignCertificate accepts a PEM with %s', async (_name, csr) => {
  expect(await sign(csr)).toEqual({ status: 'Accepted' });
});

test.each([
  ['nothing', ''],
  ['text that is not PEM', 'please'],
  ['DER in hex, as in edition 1', '308201223081CA020100'],
  ['a certificate', ROOT_ONE],
  ['PEM with invalid DER', CSR.replace('MIHc', 'AAAA')],
  ['a text longer than any request', CSR.repeat(60)],
])('SignCertificate rejects %s', async (_name, csr) => {
  await sign();
  expect(await sign(csr)).toEqual({ status: 'Rejected' });
  // A rejected request replaces no other.
  expect(await requests()).toMatchObject([
    { state: 'requested' },
    { state: 'rejected', reason: expect.stringContaining('PKCS#10') as unknown },
  ]);
});

test('a repeated SignCertificate is one request; a newer one replaces the older one', async () => {
  const question = { id: 'c1', receivedAt: '2026-11-20T09:00:00.000Z' };
  await Promise.all([sign(CSR, question), sign(CSR, question), sign(CSR, question)]);
  expect(await requests()).toMatchObject([{ state: 'requested' }]);
  await sign();
  expect(await sign(CSR, question)).toEqual({ status: 'Accepted' });
  expect(await requests()).toMatchObject([{ state: 'superseded' }, { state: 'requested' }]);
  await manager.command('CertificateSigned', { certificateChain }, { status: 'Accepted' });
  expect(await requests()).toMatchObject([{ state: 'superseded' }, { state: 'installed' }]);
});

test('after a CertificateSigned that the station rejects, another one can be sent', async () => {
  await sign();
  await manager.command('CertificateSigned', { certificateChain }, { status: 'Rejected' });
  expect(await requests()).toMatchObject([{ state: 'refused', reason: 'Rejected' }]);
  await manager.command('CertificateSigned', { certificateChain: ROOT_ONE }, { status: 'Accepted' });
  expect(await requests()).toMatchObject([{ state: 'installed', reason: null, certificate_chain: ROOT_ONE }]);
});

test('after a failed CertificateSigned the request still waits', async () => {
  await sign();
  await manager.command('CertificateSigned', { certificateChain }, { error: 'InternalError' });
  expect(await requests()).toMatchObject([
    { state: 'requested', reason: 'InternalError: no', command_id: null },
  ]);
});

test('a late refusal does not bring back a request that a newer one has replaced', async () => {
  await sign();
  await manager.command('CertificateSigned', { certificateChain });
  const call = manager.sent().at(-1);
  await sign();
  if (call) await manager.answer(call, { status: 'Rejected' });
  expect(await requests()).toMatchObject([{ state: 'superseded' }, { state: 'requested' }]);
});

test.each(['0', '4', '299'])(
  'CertificateSigned is sent even if CertificateSignedMaxChainSize is %s, which is too small for any certificate',
  async (limit) => {
    await manager.rows(
      `INSERT INTO configuration_keys (station_id, key_lower, key, value, read_at)
       VALUES ('CP1', 'certificatesignedmaxchainsize', 'CertificateSignedMaxChainSize', $1, now())`,
      [limit],
    );
    await sign();
    await manager.command('CertificateSigned', { certificateChain }, { status: 'Accepted' });
    expect(await requests()).toMatchObject([{ state: 'installed' }]);
  },
);

test('CertificateSigned follows the rules', async () => {
  const send = (chain: string) => manager.command('CertificateSigned', { certificateChain: chain });
  await expect(send(ROOT_ONE)).rejects.toMatchObject({ rule: 'CertSigned.2' });
  await sign();
  await expect(send('a certificate')).rejects.toMatchObject({ rule: 'CertSigned.1' });
  await expect(send(CSR)).rejects.toMatchObject({ rule: 'CertSigned.1' });
  await manager.rows(
    `INSERT INTO configuration_keys (station_id, key_lower, key, value, read_at)
     VALUES ('CP1', 'certificatesignedmaxchainsize', 'CertificateSignedMaxChainSize', '1000', now())`,
  );
  await expect(send(certificateChain)).rejects.toMatchObject({ rule: 'CertSigned.1' });
  await send(ROOT_ONE);
  const call = manager.sent().at(-1);
  if (call) await manager.answer(call, { status: 'Accepted' });
  await expect(send(ROOT_ONE)).rejects.toMatchObject({ rule: 'CertSigned.2' });
});
