import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import {
  bootSecurePair,
  CENTRAL,
  listen,
  PASSWORD,
  requestCsr,
  startSecurePair,
  untilConnected,
  untilEvent,
  untilProfile,
  upgrade,
} from './secure-pair.ts';

test('from profile 1 through 2 to 3, each with its prerequisites, and never back', async () => {
  const { manager, station, openSsl, root } = await bootSecurePair();
  expect(await upgrade(manager, 2)).toBe('Rejected');
  await manager.command('InstallCertificate', { certificateType: CENTRAL, certificate: root.cert });
  expect(await upgrade(manager, 2)).toBe('Accepted');
  await untilProfile(manager, 2);
  expect(manager.passwords.at(-1)).toEqual(Buffer.from(PASSWORD, 'hex'));
  expect(await upgrade(manager, 3)).toBe('Rejected');
  const certificateChain = openSsl.sign(root, await requestCsr(manager));
  await expect(manager.command('CertificateSigned', { certificateChain })).resolves.toEqual({
    status: 'Accepted',
  });
  expect(await upgrade(manager, 3)).toBe('Accepted');
  await untilProfile(manager, 3);
  expect(manager.handshakes).toEqual([
    { profile: 1 },
    { profile: 2, protocol: 'TLSv1.3' },
    { profile: 3, protocol: 'TLSv1.3', commonName: 'SERIAL-1' },
  ]);
  for (const profile of [1, 2, 3]) expect(await upgrade(manager, profile)).toBe('Rejected');
  expect(station.configuration.integer('SecurityProfile')).toBe(3);
  expect(station.violations).toEqual([]);
});

test('profile 2 needs a password and a wss endpoint', async () => {
  const withRoot = { configuration: { SecurityProfile: '0' } };
  const first = await bootSecurePair(({ root, wss }) => ({
    ...withRoot,
    tls: { ca: root.cert },
    endpoints: { wss },
    configuration: { SecurityProfile: '0', AuthorizationKey: undefined as never },
  }));
  for (const profile of [1, 2]) expect(await upgrade(first.manager, profile)).toBe('Rejected');
  const second = await bootSecurePair(({ root }) => ({ ...withRoot, tls: { ca: root.cert }, endpoints: {} }));
  expect(await upgrade(second.manager, 2)).toBe('Rejected');
});

test('a profile that does not work is replaced by the old one and retried later', async () => {
  const { manager, station } = await bootSecurePair(({ root }) => ({
    tls: { ca: root.cert },
    security: { retryMs: 50 },
  }));
  manager.isWelcome = ({ profile }) => profile === 1;
  expect(await upgrade(manager, 2)).toBe('Accepted');
  await untilProfile(manager, 2, 2);
  await untilProfile(manager, 1, 2);
  expect(manager.handshakes.map(({ profile }) => profile).slice(0, 4)).toEqual([1, 2, 2, 1]);
  manager.isWelcome = ({ profile }) => profile === 2;
  const before = manager.handshakes.length;
  await manager.until(() => manager.handshakes.slice(before).some(({ profile }) => profile === 2));
  await untilConnected(station);
  expect(station.configuration.integer('SecurityProfile')).toBe(2);
});

test('after the first success the old profile is forgotten', async () => {
  const { manager, station } = await bootSecurePair(({ root }) => ({ tls: { ca: root.cert } }));
  await upgrade(manager, 2);
  await untilProfile(manager, 2);
  await untilConnected(station);
  manager.isWelcome = () => false;
  station.drop();
  await untilProfile(manager, 2, 8);
  expect(manager.handshakes.filter(({ profile }) => profile === 1)).toHaveLength(1);
});

test('optionally the new profile waits for the Reset', async () => {
  const { manager, station } = await bootSecurePair(({ root }) => ({
    tls: { ca: root.cert },
    security: { upgrade: 'afterReset' },
  }));
  expect(await upgrade(manager, 2)).toBe('Accepted');
  await station.call('Heartbeat', {});
  expect(station.security.profile).toBe(1);
  await manager.command('Reset', { type: 'Hard' });
  await manager.until(() => manager.requests('BootNotification').length === 2);
  expect(manager.handshakes.map(({ profile }) => profile)).toEqual([1, 2]);
});

test('a manager with an invalid certificate is abandoned, and learns it over the old connection', async () => {
  const { manager, openSsl, tls } = await bootSecurePair(({ root }) => ({ tls: { ca: root.cert } }));
  const { port } = tls.address() as AddressInfo;
  await new Promise((resolve) => tls.close(resolve));
  await listen(manager, openSsl.server(openSsl.root('Root')), port);
  expect(await upgrade(manager, 2)).toBe('Accepted');
  await untilEvent(manager, 'InvalidCentralSystemCertificate');
  expect(manager.handshakes.every(({ profile }) => profile === 1)).toBe(true);
});

test.each([
  ['of another host', 'ERR_TLS_CERT_ALTNAME_INVALID', { days: 1 }],
  ['that has expired', 'CERT_HAS_EXPIRED', { days: -1, extensions: 'subjectAltName=DNS:localhost' }],
])('a certificate %s does not verify', async (_what, code, options) => {
  const { manager, station, openSsl, root } = await bootSecurePair(({ root }) => ({
    tls: { ca: root.cert },
  }));
  const server = await listen(manager, openSsl.issue(root, 'elsewhere', options));
  station.options.endpoints = { wss: `wss://localhost:${(server.address() as AddressInfo).port}` };
  await upgrade(manager, 2);
  await untilEvent(manager, 'InvalidCentralSystemCertificate');
  expect(manager.requests('SecurityEventNotification')[0]?.techInfo).toBe(code);
});

test.each([
  ['InvalidTLSVersion', { minVersion: 'TLSv1.3' }, { maxVersion: 'TLSv1.2' }],
  ['InvalidTLSVersion', { maxVersion: 'TLSv1.1', minVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }, {}],
  [
    'InvalidTLSCipherSuite',
    { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' },
    { ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' },
  ],
] as const)('%s is reported once the station is back', async (type, server, offered) => {
  const { manager } = await bootSecurePair(({ root }) => ({ tls: { ca: root.cert, ...offered } }), server);
  await upgrade(manager, 2);
  await untilEvent(manager, type);
  expect(manager.handshakes.every(({ profile }) => profile === 1)).toBe(true);
});

test('an invalid certificate is reported once, when there is a valid one again', async () => {
  const { manager, station, openSsl, root, tls } = await bootSecurePair(({ root }) => ({
    tls: { ca: root.cert },
    configuration: { SecurityProfile: '2' },
  }));
  const show = (ca: typeof root) => tls.setSecureContext(openSsl.server(ca));
  show(openSsl.root('Root'));
  station.drop();
  for (let time = 0; time < 3; time++) await once(station, 'refused');
  show(root);
  await untilEvent(manager, 'InvalidCentralSystemCertificate');
  await station.call('Heartbeat', {});
  expect(manager.requests('SecurityEventNotification')).toHaveLength(1);
  expect(manager.handshakes.map(({ profile }) => profile)).toEqual([2, 2]);
});

test('before its first boot a station reports nothing', async () => {
  const { manager, station, openSsl, root, tls } = await startSecurePair(({ root }) => ({
    tls: { ca: root.cert },
    configuration: { SecurityProfile: '2' },
  }));
  tls.setSecureContext(openSsl.server(openSsl.root('Root')));
  const connecting = station.connect({ keepTrying: true });
  await once(station, 'refused');
  tls.setSecureContext(openSsl.server(root));
  await connecting;
  await station.boot();
  await untilEvent(manager, 'InvalidCentralSystemCertificate');
  expect(manager.calls[0]?.method).toBe('BootNotification');
});

test('the name in the certificate may differ from that of the URL', async () => {
  const { manager, station } = await startSecurePair(({ root, wss }) => ({
    tls: { ca: root.cert, servername: 'localhost' },
    configuration: { SecurityProfile: '2' },
    endpoints: { wss: wss.replace('localhost', '127.0.0.1') },
  }));
  await station.connect();
  expect(manager.handshakes).toMatchObject([{ profile: 2 }]);
});

test('an embedded station connects with TLS 1.2', async () => {
  const { manager } = await bootSecurePair(({ root }) => ({
    tls: { ca: root.cert, maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' },
    configuration: { SecurityProfile: '2' },
  }));
  expect(manager.handshakes).toEqual([{ profile: 2, protocol: 'TLSv1.2' }]);
});

test('a new password is used from the next connection on', async () => {
  const { manager } = await bootSecurePair(({ root }) => ({
    tls: { ca: root.cert },
    configuration: { SecurityProfile: '2' },
  }));
  const value = 'ab'.repeat(20);
  await manager.command('ChangeConfiguration', { key: 'AuthorizationKey', value });
  await untilProfile(manager, 2, 2);
  expect(manager.passwords.at(-1)).toEqual(Buffer.from(value, 'hex'));
});
