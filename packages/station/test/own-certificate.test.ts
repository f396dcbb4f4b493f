import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { Station, type StationTls } from '../src/index.ts';
import { OpenSsl } from './openssl.ts';
import { closeLater } from './setup.ts';
import {
  bootSecurePair,
  CENTRAL,
  requestCsr,
  untilConnected,
  untilEvent,
  untilProfile,
  type SecurePair,
} from './secure-pair.ts';

/** In profile 3 with a certificate from the start. */
async function bootInProfile3(
  options: NonNullable<Parameters<typeof bootSecurePair>[0]> = () => ({}),
): Promise<SecurePair> {
  return bootSecurePair((made) => {
    const { cert, key } = made.openSsl.issue(made.root, 'OLD');
    const { configuration, ...rest } = options(made);
    return {
      tls: { ca: made.root.cert, cert, key },
      configuration: { SecurityProfile: '3', CpoName: 'Operator', ...configuration },
      ...rest,
    };
  });
}

test('openssl accepts a CSR: O is CpoName, CN the serial number, and its key is new each time', async () => {
  const { manager, openSsl } = await bootInProfile3();
  const csr = await requestCsr(manager);
  expect(openSsl.describeCsr(csr)).toBe('subject=O = Operator, CN = SERIAL-1\n');
  expect(await requestCsr(manager)).not.toBe(csr);
});

test("an invalid certificate, or one with another key, fails the station's creation", async () => {
  const openSsl = closeLater(new OpenSsl());
  const [one, other] = [openSsl.root('One'), openSsl.root('Other')];
  const make = (tls: StationTls) => () => new Station({ stationId: 'CP1', url: 'wss://x', tls });
  expect(make({ ca: 'root.pem' })).toThrow('tls.ca');
  expect(make({ cert: one.cert, key: other.key })).toThrow('do not fit');
  expect(make({ cert: one.cert, key: one.cert })).toThrow('do not fit');
  expect(make({ cert: one.cert })).toThrow('do not fit');
});

test('a new certificate is used immediately', async () => {
  const { manager, station, openSsl, root } = await bootInProfile3();
  const certificateChain = openSsl.sign(root, await requestCsr(manager));
  await expect(manager.command('CertificateSigned', { certificateChain })).resolves.toEqual({
    status: 'Accepted',
  });
  await untilProfile(manager, 3, 2);
  expect(manager.handshakes.map(({ commonName }) => commonName)).toEqual(['OLD', 'SERIAL-1']);
  expect(station.violations).toEqual([]);
});

test('optionally the new certificate waits for the next connection', async () => {
  const { manager, station, openSsl, root } = await bootInProfile3(() => ({
    security: { reconnectWithNewCertificate: false },
  }));
  const certificateChain = openSsl.sign(root, await requestCsr(manager));
  await manager.command('CertificateSigned', { certificateChain });
  await station.call('Heartbeat', {});
  expect(manager.handshakes).toHaveLength(1);
  const back = once(station, 'connected');
  station.drop();
  await back;
  expect(manager.handshakes.at(-1)?.commonName).toBe('SERIAL-1');
});

test('if the manager refuses a new certificate, the old one is used, and the new one is tried at the next connection', async () => {
  const { manager, station, openSsl, root } = await bootInProfile3();
  manager.isWelcome = ({ commonName }) => commonName === 'OLD';
  const certificateChain = openSsl.sign(root, await requestCsr(manager));
  await manager.command('CertificateSigned', { certificateChain });
  await untilProfile(manager, 3, 4);
  await untilConnected(station);
  const names = ['OLD', 'SERIAL-1', 'SERIAL-1', 'OLD'];
  expect(manager.handshakes.map(({ commonName }) => commonName)).toEqual(names);
  manager.isWelcome = () => true;
  const back = once(station, 'connected');
  station.drop();
  await back;
  expect(manager.handshakes.at(-1)?.commonName).toBe('SERIAL-1');
});

type Chain = (pair: SecurePair, csr: string) => string;
const chains: Record<string, Chain> = {
  'for another key': ({ openSsl, root }) => openSsl.issue(root, 'SERIAL-1').cert,
  'that is past': ({ openSsl, root }, csr) => openSsl.sign(root, csr, { days: -1 }),
  'whose root comes first': ({ openSsl, root }, csr) => root.cert + openSsl.sign(root, csr),
  'with a foreign CA': ({ openSsl, root }, csr) => openSsl.sign(root, csr) + openSsl.root('Root').cert,
  'to a root that is not installed': ({ openSsl }, csr) => openSsl.sign(openSsl.root('Other'), csr),
  'that is no PEM': () => 'certificate',
  'that is too long': ({ openSsl, root }, csr) => openSsl.sign(root, csr) + '\n'.repeat(3000),
};

test.each(Object.entries(chains))('a chain %s is rejected, with an event', async (_what, chainOf) => {
  const pair = await bootInProfile3(() => ({
    security: { strictChain: true },
    configuration: { CertificateSignedMaxChainSize: '3000' },
  }));
  const { manager, station } = pair;
  const certificateChain = chainOf(pair, await requestCsr(manager));
  const before = station.certificates.chain;
  await expect(manager.command('CertificateSigned', { certificateChain })).resolves.toEqual({
    status: 'Rejected',
  });
  await untilEvent(manager, 'InvalidChargePointCertificate');
  expect(station.certificates.chain).toBe(before);
  expect(manager.handshakes).toHaveLength(1);
});

test('a chain through a sub-CA leads to the installed root', async () => {
  const { manager, openSsl, root } = await bootInProfile3(() => ({ security: { strictChain: true } }));
  const sub = openSsl.root('Sub', root);
  const certificateChain = openSsl.sign(sub, await requestCsr(manager)) + sub.cert;
  await expect(manager.command('CertificateSigned', { certificateChain })).resolves.toEqual({
    status: 'Accepted',
  });
});

test('a CSR without a result is followed by others with other keys', async () => {
  const { manager } = await bootInProfile3(() => ({
    security: { signingWaitMs: 5 },
    configuration: { CertSigningWaitMinimum: '1', CertSigningRepeatTimes: '2' },
  }));
  await requestCsr(manager);
  await manager.until(() => manager.requests('SignCertificate').length === 3);
  expect(new Set(manager.requests('SignCertificate').map(({ csr }) => csr)).size).toBe(3);
});

test('with AdditionalRootCertificateCheck the old root is valid until the new one has worked', async () => {
  const { manager, station, openSsl, root, tls } = await bootInProfile3(() => ({
    configuration: { AdditionalRootCertificateCheck: 'true' },
  }));
  const next = openSsl.root('Next', root);
  const install = (certificate: string) =>
    manager.command('InstallCertificate', { certificateType: CENTRAL, certificate });
  await expect(install(openSsl.root('Next').cert)).resolves.toEqual({ status: 'Rejected' });
  await untilEvent(manager, 'InvalidCentralSystemCertificate');
  await expect(install(next.cert)).resolves.toEqual({ status: 'Accepted' });
  const again = async () => {
    const back = once(station, 'connected');
    station.drop();
    await back;
    return station.certificates.trusted.map(({ subject }) => subject);
  };
  expect(await again()).toEqual(['CN=Root', 'CN=Next']);
  tls.setSecureContext(openSsl.server(next));
  expect(await again()).toEqual(['CN=Next']);
  expect(await again()).toEqual(['CN=Next']);
});
