import { expect, test } from '@jest/globals';
import { closeLater } from './setup.ts';
import { OpenSsl } from './openssl.ts';
import { openTunnel } from './tunnel.ts';

const EMAID = 'DE8AACA2B3C4D5N';
const HASH = {
  hashAlgorithm: 'SHA256',
  issuerNameHash: 'ab',
  issuerKeyHash: 'cd',
  serialNumber: '1f',
  responderURL: 'http://ocsp.example',
} as const;
const CHARGE = {
  action: 'Install',
  exiRequest: 'gAA=',
  schemaVersion: 'urn:iso:15118:2:2013:MsgDef',
} as const;

test("OCA's messages up, and the answers from within", async () => {
  const { station, received, answers } = await openTunnel('oca');
  answers.Authorize = { idTokenInfo: { status: 'Accepted' }, certificateStatus: 'Accepted' };
  answers.GetCertificateStatus = { status: 'Accepted', ocspResult: 'MIIB' };
  answers.SignCertificate = { status: 'Accepted' };
  answers.Get15118EVCertificate = { status: 'Failed', exiResponse: '' };
  const { pnc } = station;
  expect(await pnc.authorize({ idToken: EMAID, certificate: 'PEM' })).toEqual(answers.Authorize);
  expect(await pnc.getCertificateStatus(HASH)).toEqual(answers.GetCertificateStatus);
  expect(await pnc.signCertificate()).toEqual(answers.SignCertificate);
  expect(await pnc.get15118EVCertificate(CHARGE)).toEqual(answers.Get15118EVCertificate);
  expect(received).toEqual([
    ['Authorize', { idToken: { idToken: EMAID }, certificate: 'PEM' }],
    ['GetCertificateStatus', { ocspRequestData: HASH }],
    ['SignCertificate', { csr: expect.stringMatching(/^-----BEGIN CERTIFICATE REQUEST-----/) }],
    [
      'Get15118EVCertificate',
      { action: 'Install', exiRequest: 'gAA=', iso15118SchemaVersion: CHARGE.schemaVersion },
    ],
  ]);
  expect(station.violations).toEqual([]);
});

test("Has2Be's messages up, and the answers from within", async () => {
  const { station, received, answers } = await openTunnel('has2be');
  answers.Authorize = { idTokenInfo: { status: 'NoCredit' }, certificateStatus: 'CertificateRevoked' };
  answers.GetCertificateStatus = { status: 'Rejected' };
  answers.SignCertificate = { status: 'Rejected' };
  answers.Get15118EVCertificate = {
    status: 'Accepted',
    exiResponse: 'gAA=',
    contractSignatureCertificateChain: { certificate: '30', childCertificate: ['30'] },
  };
  const { pnc } = station;
  const request = { idToken: EMAID, iso15118CertificateHashData: [HASH] };
  expect(await pnc.authorize(request)).toEqual(answers.Authorize);
  expect(await pnc.getCertificateStatus(HASH)).toEqual(answers.GetCertificateStatus);
  expect(await pnc.signCertificate()).toEqual(answers.SignCertificate);
  expect(await pnc.get15118EVCertificate(CHARGE)).toEqual(answers.Get15118EVCertificate);
  expect(received).toEqual([
    ['Authorize', { idToken: { idToken: EMAID, type: 'eMAID' }, '15118CertificateHashData': [HASH] }],
    ['GetCertificateStatus', { ocspRequestData: HASH }],
    ['SignCertificate', { csr: expect.any(String), typeOfCertificate: 'V2GCertificate' }],
    ['Get15118EVCertificate', { exiRequest: 'gAA=', '15118SchemaVersion': CHARGE.schemaVersion }],
  ]);
  // What the text allows an EC key to need.
  expect((received[2]?.[1] as { csr: string }).csr.length).toBeLessThanOrEqual(800);
  await expect(async () => pnc.authorize({ idToken: EMAID })).rejects.toThrow('iso15118CertificateHashData');
  expect(station.violations).toEqual([]);
});

test('a tunnel that is closed gives its status, an answer that is wrong is noted', async () => {
  const { station, answers } = await openTunnel('oca');
  for (const status of ['UnknownMessageId', 'Rejected', 'UnknownVendorId']) {
    answers.Authorize = status;
    expect(await station.pnc.authorize({ idToken: EMAID })).toBe(status);
  }
  answers.Authorize = { idTokenInfo: { status: 'Unknown' } };
  expect(await station.pnc.authorize({ idToken: EMAID })).toEqual(answers.Authorize);
  expect(station.violations).toMatchObject([
    { kind: 'response', action: 'DataTransfer/Authorize', fault: expect.stringContaining('status') },
  ]);
  answers.Authorize = [];
  await expect(station.pnc.authorize({ idToken: EMAID })).resolves.toEqual([]);
  answers.Authorize = 'Accepted';
  await expect(station.pnc.authorize({ idToken: EMAID })).rejects.toThrow('no JSON object');
});

test('without the option there is no Plug & Charge', async () => {
  const { station, send } = await openTunnel('oca', { pnc: undefined as never });
  expect(await send('TriggerMessage', {})).toEqual({ status: 'UnknownVendorId' });
  expect(() => station.pnc.authorize({ idToken: EMAID })).toThrow("'oca' or 'has2be'");
  await expect(station.connector(1).plugAndCharge(EMAID)).rejects.toThrow('ISO15118PnCEnabled');
});

test.each(['oca', 'has2be'] as const)('%s: what cannot be read is Rejected without', async (dialect) => {
  const { station, send } = await openTunnel(dialect);
  const bad = ['', 'no JSON', '[]', '{}', '{"certificateHashData":{"hashAlgorithm":"MD5"}}'];
  for (const data of bad) expect(await send('DeleteCertificate', data)).toEqual({ status: 'Rejected' });
  expect(station.violations).toHaveLength(bad.length);
  expect(await send('Nothing', {})).toEqual({ status: 'UnknownMessageId' });
});

test("OCA's certificates: asked for, taken, listed, deleted, and apart from the native ones", async () => {
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

test("Has2Be's certificates are DER in hex, and reach the native ones too", async () => {
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

test('a V2G certificate that does not come is asked for again; keys of the wrong kind are refused', async () => {
  const { manager, station, answers, until } = await openTunnel('oca', { security: { signingWaitMs: 2 } });
  const change = async (key: string, value: string) =>
    (await manager.command('ChangeConfiguration', { key, value })).status;
  expect(await change('CertSigningRepeatTimes', '-1')).toBe('Rejected');
  expect(await change('CertSigningRepeatTimes', '3')).toBe('Accepted');
  answers.SignCertificate = { status: 'Accepted' };
  await station.pnc.signCertificate();
  await until('SignCertificate', 4);
});

test('a car charges with its contract', async () => {
  const { manager, station, answers } = await openTunnel('oca');
  answers.Authorize = { idTokenInfo: { status: 'Accepted' }, certificateStatus: 'Accepted' };
  const connector = station.connector(1);
  const { session, answer } = await connector.plugAndCharge(EMAID, { iso15118CertificateHashData: [HASH] });
  expect(answer).toEqual(answers.Authorize);
  await session?.answered;
  expect(manager.requests('StartTransaction')).toMatchObject([{ idTag: EMAID, connectorId: 1 }]);
  expect(manager.requests('Authorize')).toEqual([]);
  connector.stop();
  await session?.delivered;
});

test.each([
  [{ idTokenInfo: { status: 'Blocked' }, certificateStatus: 'ContractCancelled' }, 'Blocked'],
  [{ idTokenInfo: { status: 'Accepted' }, certificateStatus: 'CertificateRevoked' }, 'Invalid'],
  ['UnknownVendorId', 'Invalid'],
])('a contract that is not good starts nothing: %j', async (answer, idTagStatus) => {
  const { manager, station, answers } = await openTunnel('oca');
  answers.Authorize = answer;
  const record = await station.connector(1).plugAndCharge(EMAID);
  expect(record).toEqual({ idTagStatus, answer });
  expect(manager.requests('StartTransaction')).toEqual([]);
});

test('offline a contract is known from before, if that is allowed', async () => {
  const { station, answers } = await openTunnel('oca');
  answers.Authorize = { idTokenInfo: { status: 'Accepted' } };
  const connector = station.connector(1);
  await connector.plugAndCharge(EMAID);
  connector.stop();
  await connector.unplug();
  await station.disconnect();
  const { session } = await connector.plugAndCharge(EMAID);
  expect(session).toBeDefined();
  connector.stop();
  station.configuration.set('ContractValidationOffline', 'false');
  await expect(connector.plugAndCharge(EMAID)).resolves.toEqual({ idTagStatus: 'Invalid' });
});

function toHex(pem: string): string {
  return Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64').toString('hex');
}
