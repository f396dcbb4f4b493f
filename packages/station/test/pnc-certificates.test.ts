import { expect, test } from '@jest/globals';
import { OpenSsl } from './openssl.ts';
import { closeLater } from './setup.ts';
import { openTunnel } from './tunnel.ts';

test("OCA's certificates: requested, accepted, listed, deleted, and separate from the native ones", async () => {
  const { manager, station, answers, ask, until } = await openTunnel('oca', {
    security: { strictChain: true },
  });
  const openSsl = closeLater(new OpenSsl());
  const root = openSsl.root('V2G');
  const sub = openSsl.root('Sub', root);
  answers.SignCertificate = { status: 'Accepted' };
  const install = (certificateType: string, certificate: string) =>
    ask('InstallCertificate', { certificateType, certificate });
  expect(await install('V2GRootCertificate', 'none')).toEqual({ status: 'Rejected' });
  expect(await install('V2GRootCertificate', root.cert)).toEqual({ status: 'Accepted' });
  expect(await install('MORootCertificate', openSsl.root('MO').cert)).toEqual({ status: 'Accepted' });
  expect(await ask('GetInstalledCertificateIds', { certificateType: ['V2GCertificateChain'] })).toEqual({
    status: 'NotFound',
  });
  expect(await ask('TriggerMessage', { requestedMessage: 'SignV2GCertificate' })).toEqual({
    status: 'Accepted',
  });
  const { csr = '' } = await until('SignCertificate');
  expect(
    await ask('CertificateSigned', { certificateChain: openSsl.sign(openSsl.root('V2G'), csr) }),
  ).toEqual({
    status: 'Rejected',
  });
  await manager.until(() => manager.requests('SecurityEventNotification').length === 1);
  const certificateChain = openSsl.sign(sub, csr) + sub.cert;
  expect(await ask('CertificateSigned', { certificateChain, certificateType: 'V2GCertificate' })).toEqual({
    status: 'Accepted',
  });
  expect(station.pnc.certificates.own.current?.chain).toBe(certificateChain);
  const { certificateHashDataChain } = (await ask('GetInstalledCertificateIds', {})) as {
    certificateHashDataChain: { certificateHashData: object; childCertificateHashData?: object[] }[];
  };
  expect(certificateHashDataChain).toMatchObject([
    { certificateType: 'V2GRootCertificate' },
    { certificateType: 'MORootCertificate' },
    { certificateType: 'V2GCertificateChain', childCertificateHashData: [{ hashAlgorithm: 'SHA256' }] },
  ]);
  for (const { certificateHashData } of certificateHashDataChain)
    expect(await ask('DeleteCertificate', { certificateHashData })).toEqual({ status: 'Accepted' });
  expect(await ask('GetInstalledCertificateIds', {})).toEqual({ status: 'NotFound' });
  expect(station.certificates.installed).toEqual([]);
  expect(station.certificates.chain).toBeUndefined();
});

test("Has2Be's certificates are DER in hex and include the native ones", async () => {
  const { station, answers, ask, until } = await openTunnel('has2be');
  const openSsl = closeLater(new OpenSsl());
  const root = openSsl.root('V2G');
  answers.SignCertificate = { status: 'Accepted' };
  for (const certificateType of ['V2GRootCertificate', 'CSMSRootCertificate'])
    expect(await ask('InstallCertificate', { certificateType, certificate: toHex(root.cert) })).toEqual({
      status: 'Accepted',
    });
  expect(station.certificates.trusted).toHaveLength(1);
  for (const [trigger, use] of [
    ['SignV2GCertificate', 'V2GCertificate'],
    ['SignChargingStationCertificate', 'ChargingStationCertificate'],
  ] as const) {
    const messageId = use === 'V2GCertificate' ? 'ExtendedTriggerMessage' : 'TriggerMessage';
    const times = use === 'V2GCertificate' ? 1 : 2;
    expect(await ask(messageId, { requestedMessage: trigger })).toEqual({ status: 'Accepted' });
    const { csr = '', typeOfCertificate } = await until('SignCertificate', times);
    expect(typeOfCertificate).toBe(use);
    const cert = toHex(openSsl.sign(root, csr));
    expect(await ask('CertificateSigned', { cert: 'abc', typeOfCertificate })).toEqual({
      status: 'Rejected',
    });
    expect(await ask('CertificateSigned', { cert, typeOfCertificate })).toEqual({ status: 'Accepted' });
  }
  expect(station.pnc.certificates.own.current?.certificates[0]?.subject).toContain('CN=CP1');
  expect(station.certificates.own.current?.certificates[0]?.subject).toContain('CN=CP1');
  const list = (typeOfCertificate: unknown) => ask('GetInstalledCertificateIds', { typeOfCertificate });
  expect(await list('CSMSRootCertificate')).toMatchObject({ certificateHashDataChain: [{}] });
  const { certificateHashDataChain } = (await list(['V2GRootCertificate'])) as {
    certificateHashDataChain: object[];
  };
  const [certificateHashData] = certificateHashDataChain;
  // The same root is in both lists: first it is taken from the one for cars.
  for (const status of ['Accepted', 'Accepted', 'NotFound'])
    expect(await ask('DeleteCertificate', { certificateHashData })).toEqual({ status });
});

test('a missing V2G certificate is requested again; keys of the wrong type are rejected', async () => {
  const { manager, station, answers, until } = await openTunnel('oca', { security: { signingWaitMs: 2 } });
  const change = async (key: string, value: string) =>
    (await manager.command('ChangeConfiguration', { key, value })).status;
  expect(await change('CertSigningRepeatTimes', '-1')).toBe('Rejected');
  expect(await change('CertSigningRepeatTimes', '3')).toBe('Accepted');
  answers.SignCertificate = { status: 'Accepted' };
  await station.pnc.signCertificate();
  await until('SignCertificate', 4);
});

function toHex(pem: string): string {
  return Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64').toString('hex');
}
