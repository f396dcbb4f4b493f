import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import type { Manager } from './manager.ts';
import { Ca, readCsr, subjectOf } from './ca.ts';
import { bootPair } from './setup.ts';

const ROOT = readFileSync(new URL('root.pem', import.meta.url), 'utf8');
const certificateType = 'ManufacturerRootCertificate';

test('a root is installed, listed by its hashes, and deleted by them', async () => {
  const { manager, station } = await bootPair();
  const install = () => manager.command('InstallCertificate', { certificateType, certificate: ROOT });
  const list = () => manager.command('GetInstalledCertificateIds', { certificateType });
  await expect(list()).resolves.toEqual({ status: 'NotFound' });
  await expect(install()).resolves.toEqual({ status: 'Accepted' });
  const { certificateHashData = [] } = await list();
  // What `openssl ocsp` says of this certificate and itself as its issuer.
  expect(certificateHashData).toEqual([
    {
      hashAlgorithm: 'SHA256',
      issuerNameHash: '328bf7924bb9cdcddd39a6df9c4a77e7f4fe553fcfb8dc2f783f330c5af40c14',
      issuerKeyHash: '6bc07b2aa0e0bda9f81acdf7e3905aff89f93ca99fac68330f4123a927b27f61',
      serialNumber: '344816df0712124afccc1deef204c7533f73b772',
    },
  ]);
  for (const status of ['Accepted', 'NotFound'])
    await expect(
      manager.command('DeleteCertificate', { certificateHashData: certificateHashData[0] as never }),
    ).resolves.toEqual({ status });
  expect(station.violations).toEqual([]);
});

test('an invalid certificate is rejected with a security event', async () => {
  const { manager } = await bootPair();
  await expect(
    manager.command('InstallCertificate', { certificateType, certificate: 'none' }),
  ).resolves.toEqual({ status: 'Rejected' });
  await manager.until(() => manager.requests('SecurityEventNotification').length === 1);
  expect(manager.requests('SecurityEventNotification')[0]?.type).toBe('InvalidCentralSystemCertificate');
});

test('a certificate is requested on demand; one for another key is rejected', async () => {
  const { manager } = await bootPair();
  manager.answers.SignCertificate = () => ({ status: 'Accepted' });
  await manager.command('ExtendedTriggerMessage', { requestedMessage: 'SignChargePointCertificate' });
  await manager.until(() => manager.requests('SignCertificate').length === 1);
  expect(manager.requests('SignCertificate')[0]?.csr).toMatch(/^-----BEGIN CERTIFICATE REQUEST-----\n/);
  await expect(manager.command('CertificateSigned', { certificateChain: ROOT })).resolves.toEqual({
    status: 'Rejected',
  });
  await manager.until(() => manager.requests('SecurityEventNotification').length === 1);
  expect(manager.requests('SecurityEventNotification')[0]?.type).toBe('InvalidChargePointCertificate');
});

/** The CSR that the station sends when it is asked to. */
async function requestCsr(manager: Manager): Promise<string> {
  manager.answers.SignCertificate = () => ({ status: 'Accepted' });
  const before = manager.requests('SignCertificate').length;
  await manager.command('ExtendedTriggerMessage', { requestedMessage: 'SignChargePointCertificate' });
  await manager.until(() => manager.requests('SignCertificate').length > before);
  return manager.requests('SignCertificate').at(-1)?.csr ?? '';
}

test.each(['ec', 'rsa'] as const)('the chain for its own %s key is accepted, once', async (keyType) => {
  const { manager, station } = await bootPair({
    stationId: 'CP1',
    keyType,
    configuration: { CpoName: 'Operator' },
  });
  const csr = await requestCsr(manager);
  expect(readCsr(csr)).toMatchObject({ isSigned: true });
  const certificateChain = new Ca('Root').sign(csr);
  expect(subjectOf(certificateChain)).toBe('O=Operator\nCN=CP1');
  const install = () => manager.command('CertificateSigned', { certificateChain });
  await expect(install()).resolves.toEqual({ status: 'Accepted' });
  expect(station.certificates.chain).toBe(certificateChain);
  await expect(install()).resolves.toEqual({ status: 'Rejected' });
});

test('without CpoName there is no CSR', async () => {
  const { manager } = await bootPair({ configuration: { CpoName: '' } });
  await expect(
    manager.command('ExtendedTriggerMessage', { requestedMessage: 'SignChargePointCertificate' }),
  ).resolves.toEqual({ status: 'Rejected' });
});

test('a chain with mismatched links, or a too long one, is rejected', async () => {
  const { manager, station } = await bootPair();
  const leaf = new Ca('Root').sign(await requestCsr(manager));
  const install = (certificateChain: string) => manager.command('CertificateSigned', { certificateChain });
  await expect(install(leaf + new Ca('Root').pem)).resolves.toEqual({ status: 'Rejected' });
  station.configuration.set('CertificateSignedMaxChainSize', '100');
  await expect(install(leaf)).resolves.toEqual({ status: 'Rejected' });
});

test('the store is limited and accepts no expired certificate', async () => {
  const { manager } = await bootPair({ configuration: { CertificateStoreMaxLength: '1' } });
  const install = (certificate: string) =>
    manager.command('InstallCertificate', { certificateType, certificate });
  await expect(install(new Ca('Root').expired)).resolves.toEqual({ status: 'Rejected' });
  await expect(install(ROOT)).resolves.toEqual({ status: 'Accepted' });
  await expect(install(ROOT)).resolves.toEqual({ status: 'Accepted' });
  await expect(install(new Ca('Other').pem)).resolves.toEqual({ status: 'Rejected' });
});

test('with AdditionalRootCertificateCheck the new root is signed by the old one', async () => {
  const { manager } = await bootPair({ configuration: { AdditionalRootCertificateCheck: 'true' } });
  const install = (certificate: string) =>
    manager.command('InstallCertificate', { certificateType: 'CentralSystemRootCertificate', certificate });
  const old = new Ca('Old');
  await expect(install(old.pem)).resolves.toEqual({ status: 'Accepted' });
  await expect(install(new Ca('Other').pem)).resolves.toEqual({ status: 'Rejected' });
  await expect(install(new Ca('New', old).pem)).resolves.toEqual({ status: 'Accepted' });
});

test('the last root cannot be deleted while the connection needs it, also by other hashes', async () => {
  const { manager } = await bootPair({
    hashAlgorithm: 'SHA512',
    configuration: { SecurityProfile: '2' },
  });
  const type = { certificateType: 'CentralSystemRootCertificate' } as const;
  await manager.command('InstallCertificate', { ...type, certificate: ROOT });
  const { certificateHashData = [] } = await manager.command('GetInstalledCertificateIds', type);
  expect(certificateHashData[0]?.issuerKeyHash).toHaveLength(128);
  await expect(
    manager.command('DeleteCertificate', { certificateHashData: certificateHashData[0] as never }),
  ).resolves.toEqual({ status: 'Failed' });
});

test('quirk 9: the CA in the chain, or installed before', async () => {
  const ca = new Ca('Root');
  const { manager, station } = await bootPair({ quirks: { chainMustHoldCa: true } });
  const leaf = ca.sign(await requestCsr(manager));
  const install = (certificateChain: string) => manager.command('CertificateSigned', { certificateChain });
  await expect(install(leaf)).resolves.toEqual({ status: 'Rejected' });
  await expect(install(leaf + ca.pem)).resolves.toEqual({ status: 'Accepted' });
  Object.assign(station.quirks, { chainMustHoldCa: false, caMustBeInstalled: true });
  const next = ca.sign(await requestCsr(manager));
  await expect(install(next)).resolves.toEqual({ status: 'Rejected' });
  await manager.command('InstallCertificate', { certificateType, certificate: ca.pem });
  await expect(install(next)).resolves.toEqual({ status: 'Accepted' });
});

test('quirk 9: the connection drops, and a certificate of two types is listed once', async () => {
  const quirks = { dropAfterCertificateSigned: true, listCertificatesOnce: true };
  const { manager, station } = await bootPair({ quirks });
  const central = { certificateType: 'CentralSystemRootCertificate' } as const;
  for (const type of [central, { certificateType } as const])
    await manager.command('InstallCertificate', { ...type, certificate: ROOT });
  const list = (type: typeof central | { certificateType: typeof certificateType }) =>
    manager.command('GetInstalledCertificateIds', type);
  await expect(list(central)).resolves.toMatchObject({ status: 'Accepted' });
  await expect(list({ certificateType })).resolves.toEqual({ status: 'NotFound' });
  const certificateChain = new Ca('Root').sign(await requestCsr(manager));
  const dropped = once(station, 'disconnected');
  await manager.command('CertificateSigned', { certificateChain });
  await dropped;
  await once(station, 'connected');
});

test('quirk 12: a CSR that is not PEM', async () => {
  const { manager } = await bootPair({ quirks: { csrWithoutPem: true } });
  const csr = await requestCsr(manager);
  expect(csr).toMatch(/^[\w+/=]+$/);
  expect(readCsr(csr).isSigned).toBe(true);
});
