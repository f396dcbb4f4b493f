import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { CSR, ROOT_ONE, ROOT_TWO, SERIAL_ONE, SERIAL_TWO } from '../certificates/certificates.ts';
import { openTestManager } from '../test-manager.ts';
import type { TestManager } from '../test-manager.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await openTestManager();
});
afterAll(() => manager.close());
beforeEach(() => manager.rows('TRUNCATE installed_certificates'));

const certificateType = 'CentralSystemRootCertificate';
const Accepted = { status: 'Accepted' };

function hashOf(serialNumber: string, more: object = {}): Record<string, unknown> {
  const [issuerNameHash, issuerKeyHash] = [`AB${serialNumber}`, `CD${serialNumber}`];
  return { hashAlgorithm: 'SHA256', issuerNameHash, issuerKeyHash, serialNumber, ...more };
}

async function install(
  certificate: string,
  answer: object = Accepted,
  type = certificateType,
): Promise<void> {
  await manager.command('InstallCertificate', { certificateType: type, certificate }, answer);
}

async function report(
  hashes: object[] | undefined,
  status = 'Accepted',
  type = certificateType,
): Promise<void> {
  const answer = { status, ...(hashes && { certificateHashData: hashes }) };
  await manager.command('GetInstalledCertificateIds', { certificateType: type }, answer);
}

async function certificates(): Promise<Record<string, unknown>[]> {
  return manager.rows('SELECT * FROM installed_certificates ORDER BY certificate_id');
}

test('InstallCertificate Accepted adds the certificate with its details', async () => {
  await install(ROOT_ONE);
  expect(await certificates()).toMatchObject([
    {
      station_id: 'CP1',
      certificate_type: certificateType,
      serial_number: SERIAL_ONE,
      hash_algorithm: null,
      pem: ROOT_ONE,
      subject: 'CN=Root one\nO=Evander',
      issuer: 'CN=Root one\nO=Evander',
      valid_from: new Date('2026-11-23T20:08:34Z'),
      valid_to: new Date('2126-10-30T20:08:34Z'),
      installed_at: expect.any(Date) as unknown,
      reported_at: null,
    },
  ]);
  await install(ROOT_ONE);
  expect(await certificates()).toHaveLength(1);
  await install(ROOT_ONE, Accepted, 'ManufacturerRootCertificate');
  expect(await certificates()).toHaveLength(2);
});

test.each([{ status: 'Rejected' }, { status: 'Failed' }, { error: 'NotImplemented' }])(
  'InstallCertificate answered %j adds nothing',
  async (answer) => {
    await install(ROOT_ONE, answer);
    expect(await certificates()).toEqual([]);
  },
);

test.each([
  ['text that is not PEM', 'root'],
  ['a request', CSR],
  ['two certificates', ROOT_ONE + ROOT_TWO],
  ['a broken certificate', ROOT_ONE.replace('MIIB', 'MIIC')],
])('InstallCertificate with %s is not sent', async (_name, certificate) => {
  await expect(manager.command('InstallCertificate', { certificateType, certificate })).rejects.toMatchObject(
    {
      rule: 'InstallCert.1',
    },
  );
});

test('GetInstalledCertificateIds replaces the list of its type and keeps the PEM of certificates that remain', async () => {
  await install(ROOT_ONE);
  await install(ROOT_TWO);
  await report([hashOf('9')], 'Accepted', 'ManufacturerRootCertificate');
  const one = hashOf(`00${SERIAL_ONE.toLowerCase()}`);
  await report([one, hashOf('77')]);
  expect(await certificates()).toMatchObject([
    {
      serial_number: one['serialNumber'],
      hash_algorithm: 'SHA256',
      issuer_name_hash: one['issuerNameHash'],
      pem: ROOT_ONE,
      installed_at: expect.any(Date) as unknown,
      reported_at: expect.any(Date) as unknown,
    },
    { certificate_type: 'ManufacturerRootCertificate', serial_number: '9' },
    { certificate_type: certificateType, serial_number: '77', pem: null },
  ]);
  // The same certificate, hashed with another algorithm.
  await report([hashOf(SERIAL_ONE, { hashAlgorithm: 'SHA384' })]);
  expect(await certificates()).toMatchObject([
    { hash_algorithm: 'SHA384', pem: ROOT_ONE },
    { certificate_type: 'ManufacturerRootCertificate' },
  ]);
});

test('a certificate that the station has reported gets its PEM when it is installed', async () => {
  await report([hashOf(SERIAL_ONE), hashOf(SERIAL_TWO)]);
  await install(ROOT_TWO);
  expect(await certificates()).toMatchObject([
    { serial_number: SERIAL_ONE, pem: null },
    { serial_number: SERIAL_TWO, pem: ROOT_TWO, hash_algorithm: 'SHA256' },
  ]);
});

test('certificates with the same serial number are separate; one that is listed twice is stored once', async () => {
  const [one, other] = [hashOf('1'), hashOf('1', { issuerNameHash: 'EE', issuerKeyHash: 'FF' })];
  const again = hashOf('01', { issuerNameHash: 'ab1', issuerKeyHash: 'cd1' });
  await report([one, other, again]);
  expect(await certificates()).toHaveLength(2);
  await report([other, one]);
  expect(await certificates()).toHaveLength(2);
  await report([other]);
  expect(await certificates()).toMatchObject([{ issuer_name_hash: 'EE' }]);
});

test('hashes of different algorithms in one answer are separate certificates', async () => {
  const both = [hashOf('1'), hashOf('1', { hashAlgorithm: 'SHA384' })];
  await report(both);
  expect(await certificates()).toMatchObject([{ hash_algorithm: 'SHA256' }, { hash_algorithm: 'SHA384' }]);
  await manager.rows("UPDATE installed_certificates SET reported_at = '2020-01-01'");
  await report(both.reverse());
  expect(
    await manager.rows("SELECT FROM installed_certificates WHERE reported_at > '2021-01-01'"),
  ).toHaveLength(2);
  expect(await certificates()).toMatchObject([{ hash_algorithm: 'SHA256' }, { hash_algorithm: 'SHA384' }]);
});

test.each([
  ['NotFound', undefined],
  ['Accepted', []],
  ['Accepted', undefined],
])('GetInstalledCertificateIds answered %s with %j: there is none', async (status, hashes) => {
  await report([hashOf('1')]);
  await report([hashOf('2')], 'Accepted', 'ManufacturerRootCertificate');
  await report(hashes, status);
  expect(await certificates()).toMatchObject([{ certificate_type: 'ManufacturerRootCertificate' }]);
});

test('GetInstalledCertificateIds with a CALLERROR leaves the list', async () => {
  await report([hashOf('1')]);
  await manager.command('GetInstalledCertificateIds', { certificateType }, { error: 'InternalError' });
  expect(await certificates()).toHaveLength(1);
});

test.each([
  ['Accepted', 1],
  ['NotFound', 1],
  ['Failed', 2],
])('DeleteCertificate answered %s', async (status, left) => {
  await report([hashOf('AB'), hashOf('2')]);
  // CiStrings.
  const certificateHashData = { ...hashOf('ab'), issuerNameHash: 'ABab', issuerKeyHash: 'cdAB' };
  await manager.command('DeleteCertificate', { certificateHashData }, { status });
  expect(await certificates()).toHaveLength(left);
});

test('DeleteCertificate matches the hashes, not only the serial number', async () => {
  await report([hashOf('1'), hashOf('2')]);
  for (const more of [{ hashAlgorithm: 'SHA512' }, { issuerNameHash: '00' }, { issuerKeyHash: '00' }])
    await manager.command('DeleteCertificate', { certificateHashData: hashOf('1', more) }, Accepted);
  expect(await certificates()).toHaveLength(2);
});

test('DeleteCertificate does not delete the last root of the central system', async () => {
  await report([hashOf('1')]);
  await report([hashOf('2')], 'Accepted', 'ManufacturerRootCertificate');
  await expect(
    manager.command('DeleteCertificate', { certificateHashData: hashOf('1') }),
  ).rejects.toMatchObject({
    rule: 'DeleteCert.2',
  });
  await manager.command('DeleteCertificate', { certificateHashData: hashOf('2') }, Accepted);
  await install(ROOT_TWO);
  await manager.command('DeleteCertificate', { certificateHashData: hashOf('1') }, Accepted);
  expect(await certificates()).toMatchObject([{ pem: ROOT_TWO }]);
});
