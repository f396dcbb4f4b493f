import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
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

test('what is no certificate is rejected, with a security event', async () => {
  const { manager } = await bootPair();
  await expect(
    manager.command('InstallCertificate', { certificateType, certificate: 'none' }),
  ).resolves.toEqual({ status: 'Rejected' });
  await manager.until(() => manager.requests('SecurityEventNotification').length === 1);
  expect(manager.requests('SecurityEventNotification')[0]?.type).toBe('InvalidCentralSystemCertificate');
});

test('a certificate is asked for on request; one for another key is rejected', async () => {
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
