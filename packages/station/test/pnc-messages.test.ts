import { expect, test } from '@jest/globals';
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

test("OCA's messages to the manager, and the inner answers", async () => {
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

test("Has2Be's messages to the manager, and the inner answers", async () => {
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
  await expect(pnc.authorize({ idToken: EMAID })).rejects.toThrow('iso15118CertificateHashData');
  expect(station.violations).toEqual([]);
});

test('a closed tunnel returns its status, an invalid answer is recorded', async () => {
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
  await expect(station.pnc.authorize({ idToken: EMAID })).rejects.toThrow("'oca' or 'has2be'");
  await expect(station.connector(1).plugAndCharge(EMAID)).rejects.toThrow('ISO15118PnCEnabled');
});

test.each(['oca', 'has2be'] as const)('%s: what cannot be read is Rejected without', async (dialect) => {
  const { station, send } = await openTunnel(dialect);
  const bad = ['', 'no JSON', '[]', '{}', '{"certificateHashData":{"hashAlgorithm":"MD5"}}'];
  for (const data of bad) expect(await send('DeleteCertificate', data)).toEqual({ status: 'Rejected' });
  expect(station.violations).toHaveLength(bad.length);
  expect(await send('Nothing', {})).toEqual({ status: 'UnknownMessageId' });
});
