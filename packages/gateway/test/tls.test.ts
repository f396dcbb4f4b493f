import { hashStationPassword } from '@evander/process';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'node:tls';
import type { ConnectionOptions, PeerCertificate } from 'node:tls';
import { OpenSsl } from '../../../test/openssl.ts';
import type { KeyPair } from '../../../test/openssl.ts';
import { certificatesFromFiles } from '../src/server-certificates.ts';
import type { CredentialSource, Gateway, GatewayOptions } from '../src/index.ts';
import { connectStation, credentials, handshake, PEPPER, portOf } from './harness.ts';
import {
  basic,
  certificatesOf,
  OCPP16,
  serverKeys,
  stationKeys,
  openTlsStage,
  PASSWORD,
} from './tls-stage.ts';

let openssl: OpenSsl;
let root: KeyPair;
let rsa: KeyPair;
let ec: KeyPair;
let client: KeyPair;
beforeAll(async () => {
  openssl = await OpenSsl.open();
  root = await openssl.root();
  rsa = await serverKeys(openssl, root, 'rsa');
  ec = await serverKeys(openssl, root, 'ec');
  client = await stationKeys(openssl, root);
}, 30_000);
afterAll(() => openssl.close());

const openTls = (securityProfile: number, more: Partial<GatewayOptions> = {}) =>
  openTlsStage(certificatesOf(rsa, ec), securityProfile, more);

/** Performs a TLS handshake and returns the negotiated parameters. */
async function tls(gateway: Gateway, options: ConnectionOptions = {}) {
  const socket = connect({
    host: '127.0.0.1',
    port: portOf(gateway.secureUrl ?? ''),
    ca: root.certificate,
    ...options,
  });
  try {
    await once(socket, 'secureConnect');
    const certificate: PeerCertificate = socket.getPeerCertificate();
    return { cipher: socket.getCipher().standardName, protocol: socket.getProtocol(), certificate };
  } finally {
    socket.destroy();
  }
}

test.each([
  ['ECDHE-ECDSA-AES128-GCM-SHA256', 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'],
  ['ECDHE-ECDSA-AES256-GCM-SHA384', 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384'],
  ['AES128-GCM-SHA256', 'TLS_RSA_WITH_AES_128_GCM_SHA256'],
  ['AES256-GCM-SHA384', 'TLS_RSA_WITH_AES_256_GCM_SHA384'],
])('the suite %s works', async (ciphers, standardName) => {
  const { gateway } = await openTls(2);
  expect(await tls(gateway, { ciphers, maxVersion: 'TLSv1.2' })).toMatchObject({ cipher: standardName });
});

test('TLS 1.3 works; 1.1 and CBC suites are rejected and reported with a reason', async () => {
  const { gateway, manager } = await openTls(2);
  expect(await tls(gateway)).toMatchObject({ protocol: 'TLSv1.3' });
  const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' } as const;
  await expect(tls(gateway, old)).rejects.toThrow();
  await expect(tls(gateway, { ciphers: 'ECDHE-RSA-AES128-SHA', maxVersion: 'TLSv1.2' })).rejects.toThrow();
  const { handshakes } = await manager.reported('rejected', (reported) => reported.handshakes.length === 2);
  expect(handshakes).toMatchObject([
    { stationId: '', reason: expect.stringContaining('unsupported protocol') as unknown },
    { stationId: '', reason: expect.stringContaining('no shared cipher') as unknown },
  ]);
});

test('profile 2: the password over TLS, and not without TLS', async () => {
  const { gateway, manager } = await openTls(2);
  const trust = { ca: root.certificate };
  expect(await handshake(gateway, '/ws/CP1', basic(), trust)).toMatchObject({ status: 101 });
  expect((await manager.reported('connected')).connections).toMatchObject([{ securityProfile: 2 }]);
  expect(await handshake(gateway, '/ws/CP1', basic('another'), trust)).toMatchObject({ status: 401 });
  expect(await handshake(gateway, '/ws/CP1', OCPP16, trust)).toMatchObject({ status: 401 });
  expect(await handshake(gateway, '/ws/CP1', basic())).toMatchObject({
    status: 403,
    body: 'the station must use TLS: its security profile is 2',
  });
});

test('profile 3: the certificate, checked by a manager, and no password', async () => {
  const requested: (string | undefined)[] = [];
  let fault: string | null = null;
  const { gateway, manager } = await openTls(3, {
    credentialsOf: async (stationId, certificate) => {
      requested.push(certificate?.chain);
      return credentials(stationId, { securityProfile: 3, ...(certificate && { certificate: { fault } }) });
    },
  });
  const shown = { ca: root.certificate, cert: client.certificate, key: client.key };
  expect(await handshake(gateway, '/ws/CP1', OCPP16, shown)).toMatchObject({ status: 101 });
  expect((await manager.reported('connected')).connections).toMatchObject([{ securityProfile: 3 }]);
  expect(requested[0]?.startsWith(client.certificate)).toBe(true);
  fault = 'it is revoked';
  expect(await handshake(gateway, '/ws/CP1', basic(), shown)).toMatchObject({
    status: 401,
    body: 'the client certificate is rejected: it is revoked',
  });
  expect(await handshake(gateway, '/ws/CP1', basic(), { ca: root.certificate })).toMatchObject({
    status: 403,
    body: 'the station must show a client certificate: its security profile is 3',
  });
  expect(await handshake(gateway, '/ws/CP1', basic())).toMatchObject({ status: 403 });
});

test('a station of a lower profile may use a higher one; the lowest allowed profile applies to all', async () => {
  const trust = { ca: root.certificate };
  const { gateway } = await openTls(1);
  expect(await handshake(gateway, '/ws/CP1', basic(), trust)).toMatchObject({ status: 101 });
  expect(await handshake(gateway, '/ws/CP1', basic())).toMatchObject({ status: 101 });
  const strict = await openTls(1, { lowestSecurityProfile: 2 });
  expect(await handshake(strict.gateway, '/ws/CP1', basic(), trust)).toMatchObject({ status: 101 });
  expect(await handshake(strict.gateway, '/ws/CP1', basic())).toMatchObject({ status: 403 });
});

test('certificates are reloaded when their files change; open connections stay', async () => {
  const files = {
    certificate: join(openssl.directory, 'server.pem'),
    key: join(openssl.directory, 'server.key'),
  };
  const write = async (pair: KeyPair): Promise<void> => {
    await writeFile(files.certificate, pair.certificate);
    await writeFile(files.key, pair.key);
  };
  await write(rsa);
  const { gateway } = await openTls(0, {
    certificates: certificatesFromFiles([files.certificate], [files.key]),
    certificatesEveryMs: 20,
  });
  const station = await connectStation({ ...gateway, url: gateway.secureUrl ?? '' }, 'CP1', {
    ca: root.certificate,
  });
  const before = (await tls(gateway)).certificate.serialNumber;
  // A key that does not match its certificate is not used.
  await writeFile(files.certificate, ec.certificate);
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect((await tls(gateway)).certificate.serialNumber).toBe(before);
  await write(ec);
  await utimes(files.key, new Date(), new Date(Date.now() + 1000));
  for (let i = 0; i < 100 && (await tls(gateway)).certificate.serialNumber === before; i++)
    await new Promise((resolve) => setTimeout(resolve, 20));
  expect((await tls(gateway)).certificate.serialNumber).not.toBe(before);
  expect(await station.call('Heartbeat')).toMatchObject([3, expect.anything(), expect.anything()]);
});

/** A certificate as each kind of proxy forwards it. */
const FORWARDED_CERTIFICATE = {
  'client-cert': ({ certificate }: KeyPair) => `:${certificate.replace(/-----[^-]+-----|\s/g, '')}:`,
  'x-ssl-client-cert': ({ certificate }: KeyPair) => encodeURIComponent(certificate),
  'x-forwarded-client-cert': ({ certificate }: KeyPair) =>
    `Hash=1;Cert="${encodeURIComponent(certificate)}";Subject="CN=a\\",O=b"`,
} as const;
type CertificateHeader = keyof typeof FORWARDED_CERTIFICATE;
const CERTIFICATE_HEADERS = Object.keys(FORWARDED_CERTIFICATE) as CertificateHeader[];

const forwarded = (headers: Record<string, string> = {}): Record<string, string> => ({
  ...OCPP16,
  'x-forwarded-for': '203.0.113.9, 127.0.0.1',
  'x-forwarded-proto': 'https',
  ...headers,
});
const certificateIn = (header: CertificateHeader, pair = client): Record<string, string> => ({
  [header]: FORWARDED_CERTIFICATE[header](pair),
});

/** Stations of profile 3 whose certificate is `client`. */
const ownCertificateOnly: CredentialSource = async (stationId, certificate) => {
  const fault = certificate?.chain.startsWith(client.certificate) ? null : 'not of this station';
  return credentials(stationId, { securityProfile: 3, ...(certificate && { certificate: { fault } }) });
};

/** A gateway behind a proxy that forwards certificates in this header, and a station of profile 3 whose certificate is `client`. */
function behindProxy(
  clientCertificateHeader: CertificateHeader | undefined,
  trustedProxies = ['127.0.0.0/8'],
) {
  return openTls(3, {
    trustedProxies,
    clientCertificateHeader,
    credentialsOf: ownCertificateOnly,
  });
}

test.each(CERTIFICATE_HEADERS)(
  'a certificate that the proxy forwards in the configured header: %s',
  async (header) => {
    const { gateway, manager } = await behindProxy(header);
    expect(await handshake(gateway, '/ws/CP1', forwarded(certificateIn(header)))).toMatchObject({
      status: 101,
    });
    expect((await manager.reported('connected')).connections).toMatchObject([
      { securityProfile: 3, remoteAddress: '203.0.113.9' },
    ]);
  },
);

const UNSET = CERTIFICATE_HEADERS.flatMap((set) =>
  CERTIFICATE_HEADERS.filter((sent) => sent !== set).map((sent): [CertificateHeader, CertificateHeader] => [
    sent,
    set,
  ]),
);

test.each([
  ...UNSET,
  ...CERTIFICATE_HEADERS.map((sent): [CertificateHeader, undefined] => [sent, undefined]),
])('a certificate in the header %s is ignored when %s is configured', async (sent, set) => {
  const { gateway } = await behindProxy(set);
  expect(await handshake(gateway, '/ws/CP1', forwarded(certificateIn(sent)))).toMatchObject({
    status: 403,
    body: 'the station must show a client certificate: its security profile is 3',
  });
  if (set === undefined) return;
  // The proxy's own header still counts: a client cannot override it with another header.
  const both = forwarded({ ...certificateIn(sent), ...certificateIn(set, rsa) });
  expect(await handshake(gateway, '/ws/CP1', both)).toMatchObject({
    status: 401,
    body: 'the client certificate is rejected: not of this station',
  });
});

test.each(CERTIFICATE_HEADERS)(
  'two values of the header %s, one of them from the client, are not trusted',
  async (header) => {
    const { gateway } = await behindProxy(header);
    const value = [client, rsa].map((pair) => FORWARDED_CERTIFICATE[header](pair)).join(', ');
    const { status } = await handshake(gateway, '/ws/CP1', forwarded({ [header]: value }));
    expect([401, 403]).toContain(status);
  },
);

test.each([
  ['https', 101],
  ['HTTPS', 101],
  ['wss', 101],
  ['http, https', 101],
  ['https, http', 403],
  ['https,http', 403],
  ['http', 403],
  ['https,', 403],
  ['', 403],
])('the nearest proxy determines the scheme: X-Forwarded-Proto "%s" gives %i', async (scheme, status) => {
  const { gateway } = await behindProxy('client-cert');
  const headers = forwarded({ ...certificateIn('client-cert'), 'x-forwarded-proto': scheme });
  expect(await handshake(gateway, '/ws/CP1', headers)).toMatchObject({ status });
});

test('headers from anyone but a trusted proxy are ignored', async () => {
  const { gateway, manager } = await behindProxy('client-cert', ['192.0.2.0/24']);
  const headers = forwarded(certificateIn('client-cert'));
  expect(await handshake(gateway, '/ws/CP1', headers)).toMatchObject({ status: 403 });
  const { handshakes } = await manager.reported('rejected');
  expect(handshakes).toMatchObject([{ remoteAddress: '127.0.0.1' }]);
});

describe('a client that guesses must wait', () => {
  const GUESSES = 15;
  const statusesOfGuesses = async (gateway: Gateway, headers: (i: number) => Record<string, string>) => {
    const statuses: number[] = [];
    for (let i = 0; i < GUESSES; i++) statuses.push((await handshake(gateway, '/ws/CP1', headers(i))).status);
    return statuses;
  };

  test('but not the station that it impersonates, at the same address', async () => {
    const { gateway } = await openTls(1);
    const statuses = await statusesOfGuesses(gateway, (i) => basic(`guess ${i}`));
    expect(statuses.slice(0, 10)).toEqual(Array(10).fill(401));
    expect(statuses).toContain(429);
    expect(await handshake(gateway, '/ws/CP1', basic())).toMatchObject({ status: 101 });
  });

  test('nor a station with a certificate, whatever certificates are presented in its name', async () => {
    const { gateway } = await openTls(3, {
      credentialsOf: ownCertificateOnly,
    });
    const shown = { ca: root.certificate, cert: client.certificate, key: client.key };
    expect(await handshake(gateway, '/ws/CP1', OCPP16, shown)).toMatchObject({ status: 101 });
    for (let i = 0; i < GUESSES; i++)
      await handshake(gateway, '/ws/CP1', OCPP16, {
        ca: root.certificate,
        cert: rsa.certificate,
        key: rsa.key,
      });
    expect(await handshake(gateway, '/ws/CP1', OCPP16, shown)).toMatchObject({ status: 101 });
  });

  test('it learns how long, and managers are not asked meanwhile', async () => {
    let requested = 0;
    const { gateway } = await openTls(1, {
      credentialsOf: async () => {
        requested++;
        return undefined;
      },
    });
    const statuses = await statusesOfGuesses(gateway, () => basic());
    expect(requested).toBe(statuses.filter((status) => status === 404).length);
    expect(requested).toBeLessThan(GUESSES);
    const answer = await handshake(gateway, '/ws/CP1', basic());
    expect(answer).toMatchObject({ status: 429 });
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
  });

  test('and a station whose password was changed meanwhile is accepted with the new one', async () => {
    let password = 'the old one';
    const { gateway } = await openTls(1, {
      credentialsOf: async (stationId) =>
        credentials(stationId, {
          securityProfile: 1,
          passwordHashes: [hashStationPassword(Buffer.from(password), stationId, PEPPER)],
        }),
    });
    await statusesOfGuesses(gateway, (i) => basic(`guess ${i}`));
    password = PASSWORD;
    let answer = await handshake(gateway, '/ws/CP1', basic());
    for (; answer.status === 429; answer = await handshake(gateway, '/ws/CP1', basic()))
      await new Promise((resolve) => setTimeout(resolve, Number(answer.headers['retry-after']) * 1000));
    expect(answer.status).toBe(101);
  }, 30_000);
});
