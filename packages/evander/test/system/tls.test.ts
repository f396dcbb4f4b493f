import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Gateway } from '@evander/gateway';
import type { Manager } from '@evander/manager';
import { Certificate } from '@evander/pki';
import { Station } from '@evander/station';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { OpenSsl } from '../../../../test/openssl.ts';
import type { KeyPair } from '../../../../test/openssl.ts';
import { apiOf, eventually, startServices } from './fixture.ts';
import type { Services } from './fixture.ts';
import { foreignStation } from './foreign-station.ts';

let openssl: OpenSsl;
let services: Services;
let manager: Manager;
let gateway: Gateway;
let api: ReturnType<typeof apiOf>;
let root: string;
beforeAll(async () => {
  openssl = await OpenSsl.open();
  services = await startServices();
  manager = await services.startManager();
  gateway = await services.startGateway([manager], { tls: true });
  api = apiOf(manager.apiUrl);
  root = await (await fetch(`${manager.apiUrl}/pki/root.pem`)).text();
}, 60_000);
afterAll(async () => {
  await services.close();
  await openssl.close();
});

const SECURE = () => ({ url: gateway.secureUrl ?? '' });

/** A key, and a certificate from the manager's own authority for it. */
async function commissioned(stationId: string, commonName = stationId): Promise<KeyPair> {
  const { key } = await openssl.certificate({ subject: '/CN=ignored' });
  await writeFile(join(openssl.directory, 'own.key'), key);
  const subject = ['-subj', `/O=Operator/CN=${commonName}`];
  await openssl.run('req', '-new', '-key', 'own.key', '-out', 'own.csr', ...subject);
  const csr = await readFile(join(openssl.directory, 'own.csr'), 'utf8');
  const { status, body } = await api('POST', '/issued-certificates', { stationId, csr });
  expect({ status, body }).toMatchObject({ status: 201 });
  return { certificate: String(body?.certificateChain), key };
}

/** The result for a third-party client library: accepted, or the reason why not. */
async function attempt(stationId: string, own?: KeyPair, options: object = {}): Promise<string> {
  const wsOpts = { ca: root, ...(own && { cert: own.certificate, key: own.key }) };
  const client = foreignStation(SECURE(), stationId, { wsOpts, ...options });
  try {
    await client.connect();
    await client.call('Heartbeat', {}).catch(() => undefined);
    await client.close();
    return 'accepted';
  } catch (error) {
    return (error as Error).message;
  }
}

/** The rejection reasons in the API. */
async function reasons(stationId: string): Promise<string[]> {
  return eventually(async () => {
    const { body } = await api('GET', `/stations/${stationId}`);
    const reasons = (body?.rejected as { reason: string }[]).map(({ reason }) => reason);
    expect(reasons).not.toEqual([]);
    return reasons;
  });
}

test('openssl s_client opens a WebSocket with a client certificate over TLS 1.2 and 1.3', async () => {
  await api('PUT', '/stations/OPENSSL', { securityProfile: 3 });
  const own = await commissioned('OPENSSL');
  for (const [name, text] of Object.entries({
    'root.pem': root,
    'client.pem': own.certificate,
    'client.key': own.key,
  }))
    await writeFile(join(openssl.directory, name), text);
  const request =
    'GET /ws/OPENSSL HTTP/1.1\\r\\nHost: localhost\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\n' +
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\\r\\nSec-WebSocket-Version: 13\\r\\nSec-WebSocket-Protocol: ocpp1.6\\r\\n\\r\\n';
  const host = new URL(SECURE().url).host;
  for (const version of ['-tls1_2', '-tls1_3']) {
    const client = `openssl s_client -quiet -no_ign_eof -connect ${host} -CAfile root.pem -verify_return_error -cert client.pem -key client.key ${version}`;
    const command = `{ printf '${request}'; sleep 1; } | ${client} || true`;
    const { stdout } = await promisify(execFile)('bash', ['-c', command], { cwd: openssl.directory });
    expect(stdout).toContain('HTTP/1.1 101 Switching Protocols');
  }
});

test('a third-party station connects with profiles 1, 2 and 3', async () => {
  await api('PUT', '/stations/FOREIGN', { securityProfile: 1, password: 'a password' });
  const password = 'a password';
  const plain = foreignStation(gateway, 'FOREIGN', { password });
  await plain.connect();
  await plain.close();
  await api('PUT', '/stations/FOREIGN', { securityProfile: 2 });
  expect(await attempt('FOREIGN', undefined, { password })).toBe('accepted');
  await api('PUT', '/stations/FOREIGN', { securityProfile: 3 });
  expect(await attempt('FOREIGN', await commissioned('FOREIGN'))).toBe('accepted');
  expect((await api('GET', '/stations/FOREIGN')).body).toMatchObject({ connectionSecurityProfile: 3 });
});

test('the OCPP-J example AL1000 with a binary key is accepted over TLS', async () => {
  const key = '0001020304050607FFFFFFFFFFFFFFFFFFFFFFFF';
  await api('PUT', '/stations/AL1000', { securityProfile: 2, password: key });
  expect(await attempt('AL1000', undefined, { password: Buffer.from(key, 'hex') })).toBe('accepted');
  expect(await attempt('AL1000', undefined, { password: 'AAAA' })).toContain('Unauthorized');
});

test('a foreign or invalid certificate is rejected with a reason', async () => {
  for (const stationId of ['NAME', 'EXPIRED', 'REVOKED', 'FOREIGN-CA', 'OTHERS', 'NONE'])
    await api('PUT', `/stations/${stationId}`, { securityProfile: 3 });
  const operator = await openssl.root('/O=Operator/CN=Outside Root');
  const trusted = { certificate: operator.certificate, organisations: ['Operator'] };
  expect((await api('POST', '/trusted-roots', trusted)).status).toBe(200);
  const outside = (subject: string, days = 10): Promise<KeyPair> =>
    openssl.certificate({ subject, issuer: operator, days, extensions: ['extendedKeyUsage=clientAuth'] });

  expect(await attempt('NAME', await outside('/O=Operator/CN=SOMEBODY'))).toContain('Unauthorized');
  expect(await reasons('NAME')).toEqual([
    expect.stringContaining('its CN is SOMEBODY, which is neither station NAME'),
  ]);
  await api('PUT', '/stations/NAME', { serialNumbers: ['SOMEBODY'] });
  expect(await attempt('NAME', await outside('/O=Operator/CN=SOMEBODY'))).toBe('accepted');
  expect(await attempt('NAME', await outside('/O=Another/CN=NAME'))).toContain('Unauthorized');
  expect(await reasons('NAME')).toContainEqual(expect.stringContaining('its O is Another, not Operator'));

  expect(await attempt('EXPIRED', await outside('/O=Operator/CN=EXPIRED', -1))).toContain('Unauthorized');
  expect(await reasons('EXPIRED')).toEqual([expect.stringMatching(/expired at|is valid from/)]);

  const revoked = await commissioned('REVOKED');
  expect(await attempt('REVOKED', revoked)).toBe('accepted');
  const { serialNumber } = Certificate.parse(revoked.certificate);
  await api('POST', `/issued-certificates/${serialNumber}/revocation`, { reason: 'keyCompromise' });
  expect(await attempt('REVOKED', revoked)).toContain('Unauthorized');
  expect(await reasons('REVOKED')).toEqual([expect.stringContaining('it is revoked: keyCompromise')]);

  const stranger = await openssl.root('/O=Operator/CN=Stranger');
  const forged = await openssl.certificate({ subject: '/O=Operator/CN=FOREIGN-CA', issuer: stranger });
  expect(await attempt('FOREIGN-CA', forged)).toContain('Unauthorized');
  expect(await reasons('FOREIGN-CA')).toEqual([
    expect.stringContaining('issued by Stranger, which is not trusted here'),
  ]);

  expect(await attempt('OTHERS', revoked)).toContain('Unauthorized');
  expect(await attempt('NONE')).toContain('Forbidden');
  expect(await reasons('NONE')).toEqual([expect.stringContaining('must show a client certificate')]);
}, 30_000);

test('revocation by an uploaded list', async () => {
  await api('PUT', '/stations/LISTED', { securityProfile: 3 });
  const operator = await openssl.root('/O=Operator/CN=Listing Root');
  const own = await openssl.certificate({ subject: '/O=Operator/CN=LISTED', issuer: operator });
  const trusted = { certificate: operator.certificate, organisations: ['Operator'] };
  await api('POST', '/trusted-roots', trusted);
  expect(await attempt('LISTED', own)).toBe('accepted');
  const { serialNumber } = Certificate.parse(own.certificate);
  const index = `R\t351231235959Z\t260102030405Z\t${serialNumber.padStart(14, '0').toUpperCase()}\tunknown\t/CN=LISTED\n`;
  const files = {
    'index.txt': index,
    'ca.pem': operator.certificate,
    'ca.key': operator.key,
    'ca.cnf': CA_CONFIGURATION,
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(openssl.directory, name), text);
  await openssl.run(
    'ca',
    '-config',
    'ca.cnf',
    '-gencrl',
    '-out',
    'crl.pem',
    '-cert',
    'ca.pem',
    '-keyfile',
    'ca.key',
  );
  const revocationList = await readFile(join(openssl.directory, 'crl.pem'), 'utf8');
  expect((await api('POST', '/trusted-roots', { ...trusted, revocationList })).body).toMatchObject({
    hasRevocationList: true,
  });
  await eventually(async () => expect(await attempt('LISTED', own)).toContain('Unauthorized'));
}, 40_000);

const CA_CONFIGURATION = `[ca]\ndefault_ca = here\n[here]\ndatabase = index.txt\ndefault_md = sha256\ndefault_crl_days = 1\n`;

test('a profile is raised 1 → 2 → 3 and a certificate renewed, end to end; lower profiles are rejected afterwards', async () => {
  const password = '000102030405060708090A0B0C0D0E0F10111213';
  await api('PUT', '/stations/RISING', { securityProfile: 1, password, serialNumbers: ['SN-4711'] });
  const station = new Station({
    stationId: 'RISING',
    url: gateway.url,
    endpoints: { ws: gateway.url, wss: SECURE().url },
    configuration: { SecurityProfile: '1', AuthorizationKey: password },
    serialNumber: 'SN-4711',
    reconnect: { minMs: 5, maxMs: 50 },
    speed: Infinity,
  });
  try {
    await station.connect();
    await station.boot();
    for (const securityProfile of [2, 3]) {
      await api('PUT', '/stations/RISING/security-profile', { securityProfile });
      await eventually(async () => {
        expect((await api('GET', '/stations/RISING/security-profile')).body).toMatchObject({
          state: 'succeeded',
        });
        expect((await api('GET', '/stations/RISING')).body).toMatchObject({
          securityProfile,
          pendingSecurityProfile: null,
          connectionSecurityProfile: securityProfile,
        });
      });
    }
    expect(station.security.profile).toBe(3);
    await eventually(() => expect(station.registrationStatus).toBe('Accepted'));
    const { body: before } = await api('GET', '/stations/RISING');
    await api('POST', '/stations/RISING/client-certificate', {});
    await eventually(async () => {
      const { body } = await api('GET', '/stations/RISING');
      expect(body?.certificateFingerprint).not.toBe(before?.certificateFingerprint);
      expect(body).toMatchObject({ connected: true, connectionSecurityProfile: 3 });
    });
    const { body: issued } = await api('GET', '/issued-certificates?stationId=RISING');
    expect(issued?.items).toMatchObject([
      { subject: 'CN=SN-4711, O=Operator' },
      { subject: 'CN=SN-4711, O=Operator' },
    ]);
    const lower = foreignStation(gateway, 'RISING', { password: Buffer.from(password, 'hex') });
    await expect(lower.connect()).rejects.toThrow('Forbidden');
  } finally {
    await station.close();
  }
}, 60_000);

test('a password is changed with one call', async () => {
  const password = '000102030405060708090A0B0C0D0E0F10111213';
  await api('PUT', '/stations/ROTATING', { securityProfile: 1, password });
  const station = new Station({
    stationId: 'ROTATING',
    url: gateway.url,
    configuration: { SecurityProfile: '1', AuthorizationKey: password },
    reconnect: { minMs: 5, maxMs: 50 },
  });
  try {
    await station.connect();
    await station.boot();
    await api('POST', '/stations/ROTATING/password-rotation', {});
    await eventually(async () =>
      expect((await api('GET', '/stations/ROTATING/password-rotation')).body).toMatchObject({
        state: 'succeeded',
      }),
    );
    const old = foreignStation(gateway, 'ROTATING', { password: Buffer.from(password, 'hex') });
    await expect(old.connect()).rejects.toThrow('Unauthorized');
    await eventually(async () =>
      expect((await api('GET', '/stations/ROTATING')).body).toMatchObject({ connected: true }),
    );
  } finally {
    await station.close();
  }
});
