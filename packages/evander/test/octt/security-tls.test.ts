import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Certificate } from '@evander/pki';
import type { StationOptions } from '@evander/station';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import { OpenSsl } from '../../../../test/openssl.ts';
import { eventually } from '../system/fixture.ts';
import { foreignStation } from '../system/foreign-station.ts';
import { certification } from './tool.ts';
import type { Tool } from './tool.ts';

const cases = certification({ tls: true });
const KEY = '000102030405060708090a0b0c0d0e0f10111213';
const SUITES = {
  'ECDHE-ECDSA-AES128-GCM-SHA256': 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384': 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384',
  'AES128-GCM-SHA256': 'TLS_RSA_WITH_AES_128_GCM_SHA256',
  'AES256-GCM-SHA384': 'TLS_RSA_WITH_AES_256_GCM_SHA384',
};

let openssl: OpenSsl;
beforeAll(async () => {
  openssl = await OpenSsl.open();
});
afterAll(() => openssl.close());

/** Settings of all stations in these cases: both URLs and their operator. */
async function settings(securityProfile: number): Promise<Partial<StationOptions>> {
  return {
    endpoints: { ws: cases.url(), wss: cases.secureUrl() },
    tls: { ca: await cases.root() },
    configuration: { SecurityProfile: String(securityProfile), AuthorizationKey: KEY, CpoName: 'Operator' },
  };
}

/** A station registered with profile 1 or 2. */
async function withPassword(
  caseId: string,
  securityProfile: 1 | 2,
  more: Partial<StationOptions> = {},
): Promise<Tool> {
  const tool = await cases.open(caseId, { ...(await settings(securityProfile)), ...more });
  await tool.api('PUT', `/stations/${caseId}`, { securityProfile, password: KEY });
  return tool;
}

interface Own {
  cert: string;
  key: string;
}

/** A station's key, and the certificate that the CSMS has issued for it. */
async function commissioned(stationId: string): Promise<Own> {
  const path = (ending: string): string => join(openssl.directory, `${stationId}.${ending}`);
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  await openssl.run(
    'req',
    '-new',
    '-nodes',
    ...kind,
    '-keyout',
    path('key'),
    '-out',
    path('csr'),
    '-subj',
    `/O=Operator/CN=${stationId}`,
  );
  const { status, body } = await cases.api()('POST', '/issued-certificates', {
    stationId,
    csr: await readFile(path('csr'), 'utf8'),
  });
  expect(status).toBe(201);
  return { cert: String(body?.certificateChain), key: await readFile(path('key'), 'utf8') };
}

/** A station registered with profile 3, with a certificate. */
async function withCertificate(
  caseId: string,
  more: Partial<StationOptions> = {},
): Promise<Tool & { own: Own }> {
  await cases.api()('PUT', `/stations/${caseId}`, { securityProfile: 3 });
  const own = await commissioned(caseId);
  const common = await settings(3);
  const tool = await cases.open(caseId, { ...common, tls: { ...common.tls, ...own }, ...more });
  return Object.assign(tool, { own });
}

/** Performs a TLS handshake with one suite; returns the suite's name and the server's certificate. */
async function agree(
  ciphers: string,
  more: ConnectionOptions = {},
): Promise<{ suite: string; certificate: X509Certificate }> {
  const { hostname: host, port } = new URL(cases.secureUrl());
  const ca = await cases.root();
  const socket = connect({ host, port: Number(port), ca, ciphers, maxVersion: 'TLSv1.2', ...more });
  await once(socket, 'secureConnect');
  const certificate = socket.getPeerX509Certificate();
  const suite = socket.getCipher().standardName;
  socket.destroy();
  if (!certificate) throw new Error('the server has shown no certificate');
  return { suite, certificate };
}

test('TC_074_CSMS Update Charge Point Certificate by request of Central System', async () => {
  const tool = await withCertificate('TC_074');
  await tool.boot();
  const before = (await tool.shown()).certificateFingerprint;
  const isBack = once(tool.station, 'connected');
  await tool.api('POST', '/stations/TC_074/client-certificate', {});
  await tool.until('SignCertificate');
  await isBack;
  expect(tool.sentByCsms('ExtendedTriggerMessage')).toEqual([
    { requestedMessage: 'SignChargePointCertificate' },
  ]);
  expect(tool.answersOfCsms('SignCertificate')).toEqual([{ status: 'Accepted' }]);
  const [signed] = tool.sentByCsms('CertificateSigned');
  const leaf = Certificate.parse(signed?.certificateChain ?? '');
  expect(leaf).toMatchObject({
    subject: { CN: 'TC_074', O: 'Operator' },
    publicKey: { type: 'ec', bits: 256 },
  });
  await eventually(async () =>
    expect(await tool.shown()).toMatchObject({
      connected: true,
      connectionSecurityProfile: 3,
      certificateFingerprint: leaf.fingerprint,
    }),
  );
  expect(leaf.fingerprint).not.toBe(before);
  await eventually(async () =>
    expect(await tool.shown('/client-certificate')).toMatchObject({ state: 'succeeded' }),
  );
});

test.each([
  [
    'TC_075_1_CSMS Install a certificate on the Charge Point - ManufacturerRootCertificate',
    'TC_075_1',
    'ManufacturerRootCertificate',
  ],
  [
    'TC_075_2_CSMS Install a certificate on the Charge Point - CentralSystemRootCertificate',
    'TC_075_2',
    'CentralSystemRootCertificate',
  ],
])('%s', async (_name, caseId, certificateType) => {
  const tool = await withPassword(caseId, 2);
  await tool.boot();
  const { certificate } = await openssl.root('/O=Test/CN=Another Root');
  expect(await tool.send('InstallCertificate', { certificateType, certificate })).toMatchObject({
    response: { status: 'Accepted' },
  });
  expect(tool.sentByCsms('InstallCertificate')).toEqual([{ certificateType, certificate }]);
  const list = await tool.send('GetInstalledCertificateIds', { certificateType });
  expect(list).toMatchObject({ response: { status: 'Accepted' } });
  expect(tool.sentByCsms('GetInstalledCertificateIds')).toEqual([{ certificateType }]);
  const listed = await tool.listed('/certificates');
  expect(listed.map(({ pem }) => pem)).toContain(certificate);
});

test('TC_077_CSMS Invalid ChargePointCertificate Security Event', async () => {
  const tool = await withCertificate('TC_077');
  await tool.boot();
  tool.station.answers.next('CertificateSigned', { response: { status: 'Rejected' } });
  await tool.api('POST', '/stations/TC_077/client-certificate', {});
  await eventually(async () =>
    expect(await tool.shown('/client-certificate')).toMatchObject({
      state: 'failed',
      doing: expect.stringContaining('Rejected') as unknown,
    }),
  );
  expect(tool.sentByCsms('ExtendedTriggerMessage')).toEqual([
    { requestedMessage: 'SignChargePointCertificate' },
  ]);
  expect(tool.answersOfCsms('SignCertificate')).toEqual([{ status: 'Accepted' }]);
  const timestamp = new Date().toISOString();
  await tool.station.call('SecurityEventNotification', { type: 'InvalidChargePointCertificate', timestamp });
  const { body } = await tool.api('GET', '/security-events?stationId=TC_077');
  expect(body?.items).toMatchObject([{ type: 'InvalidChargePointCertificate' }]);
  // The previous certificate is still the station's.
  const again = foreignStation({ url: cases.secureUrl() }, 'TC_077', {
    wsOpts: { ca: await cases.root(), ...tool.own },
  });
  await again.connect();
  await again.close();
});

test('TC_078_CSMS Invalid CentralSystemCertificate Security Event', async () => {
  const tool = await withPassword('TC_078', 2);
  await tool.boot();
  tool.station.answers.next('InstallCertificate', { response: { status: 'Rejected' } });
  const certificateType = 'CentralSystemRootCertificate';
  const { certificate } = await openssl.certificate({
    subject: '/CN=Not a root',
    issuer: await openssl.root(),
  });
  expect(await tool.send('InstallCertificate', { certificateType, certificate })).toMatchObject({
    response: { status: 'Rejected' },
  });
  expect(tool.sentByCsms('InstallCertificate')).toMatchObject([{ certificateType }]);
  const timestamp = new Date().toISOString();
  await tool.station.call('SecurityEventNotification', {
    type: 'InvalidCentralSystemCertificate',
    timestamp,
  });
  const { body } = await tool.api('GET', '/security-events?stationId=TC_078');
  expect(body?.items).toMatchObject([{ type: 'InvalidCentralSystemCertificate' }]);
});

test('TC_083_CSMS Upgrade Charge Point Security Profile - Accepted', async () => {
  const tool = await withPassword('TC_083', 1, { security: { upgrade: 'afterReset' } });
  await tool.boot();
  for (const securityProfile of [2, 3]) {
    await tool.api('PUT', '/stations/TC_083/security-profile', { securityProfile });
    await eventually(async () => {
      expect(await tool.shown()).toMatchObject({
        securityProfile,
        connectionSecurityProfile: securityProfile,
      });
      expect(await tool.shown('/security-profile')).toMatchObject({ state: 'succeeded' });
    });
    const changes = tool.sentByCsms('ChangeConfiguration');
    expect(changes).toContainEqual({ key: 'SecurityProfile', value: String(securityProfile) });
    expect(tool.sentByCsms('Reset').at(-1)).toEqual({ type: 'Hard' });
    await eventually(() => expect(tool.station.registrationStatus).toBe('Accepted'));
    const password = Buffer.from(KEY, 'hex');
    const plain = foreignStation({ url: cases.url() }, 'TC_083', { password });
    await expect(plain.connect()).rejects.toThrow('Forbidden');
    const wsOpts = { ca: await cases.root() };
    const basic = foreignStation({ url: cases.secureUrl() }, 'TC_083', { password, wsOpts });
    if (securityProfile === 3) await expect(basic.connect()).rejects.toThrow('Forbidden');
  }
}, 30_000);

test('TC_086_CSMS TLS - server-side certificate - Valid certificate', async () => {
  for (const [ciphers, suite] of Object.entries(SUITES)) {
    const agreed = await agree(ciphers);
    expect(agreed.suite).toBe(suite);
    const certificate = Certificate.parse(agreed.certificate.raw);
    const { type, bits } = certificate.publicKey;
    expect(bits).toBeGreaterThanOrEqual(type === 'rsa' ? 2048 : 224);
    expect(certificate.serialNumber).not.toBe('');
    expect(certificate.subject).toMatchObject({ CN: 'localhost', O: 'Operator' });
  }
  await expect(
    agree('DEFAULT:@SECLEVEL=0', { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1' }),
  ).rejects.toThrow();
  const tool = await withPassword('TC_086', 2);
  await tool.boot();
  expect(await tool.shown()).toMatchObject({ connectionSecurityProfile: 2 });
});

test('TC_087_CSMS TLS - Client-side certificate - valid certificate', async () => {
  const tool = await withCertificate('TC_087');
  for (const [ciphers, suite] of Object.entries(SUITES))
    expect((await agree(ciphers, tool.own)).suite).toBe(suite);
  await tool.boot();
  expect(await tool.shown()).toMatchObject({ connectionSecurityProfile: 3 });
});
