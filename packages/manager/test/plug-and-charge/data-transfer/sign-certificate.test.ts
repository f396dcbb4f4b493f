import type { Dialect } from '@evander/ocpp';
import { Sealer } from '@evander/process';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { createPublicKey, X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Authority } from '../../../src/certificates/authority.ts';
import { Responders } from '../../../src/certificates/responders.ts';
import { outbound } from '../../../src/outbound/outbound.ts';
import { openPnc } from '../../../src/plug-and-charge/open.ts';
import { openTestManager } from '../../test-manager.ts';
import type { TestManager } from '../../test-manager.ts';
import { openPki } from '../pnc-pki.ts';
import type { TestPki } from '../pnc-pki.ts';
import { lastTunnelled, tunnel, tunnelled } from '../pnc.ts';

let manager: TestManager;
let pki: TestPki;
let v2gCaFile: string;
beforeAll(async () => {
  pki = await openPki('v2g');
  v2gCaFile = join(pki.sub.folder, 'v2g.pem');
  writeFileSync(v2gCaFile, pki.sub.issued.key + pki.sub.pem);
  manager = await openTestManager({ pnc: { v2gCaFile } });
  await manager.rows("UPDATE stations SET serial_numbers = '{SECC-1}'");
});
afterAll(async () => {
  await manager.close();
  await pki.close();
});
beforeEach(() =>
  manager.rows('TRUNCATE pnc_certificate_requests, installed_certificates, commands, connections'),
);

let count = 0;
/** A certificate request with a new key, as PEM, and the key's SPKI. */
function makeRequest(): { csr: string; spki: string } {
  const base = join(pki.sub.folder, `station-${(count += 1)}`);
  execFileSync('openssl', ['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', `${base}.key`]);
  execFileSync('openssl', [
    ...['req', '-new', '-key', `${base}.key`, '-subj', '/CN=SECC-1/O=Evander/DC=CPO', '-out', `${base}.csr`],
  ]);
  const spki = createPublicKey(readFileSync(`${base}.key`, 'utf8')).export({ type: 'spki', format: 'pem' });
  return { csr: readFileSync(`${base}.csr`, 'utf8'), spki: String(spki) };
}

async function connect(): Promise<void> {
  await manager.rows(
    `INSERT INTO connections (station_id, gateway_id, connection_id, connected_at) VALUES ('CP1', 'gw-1', 'c1', now())
     ON CONFLICT DO NOTHING`,
  );
}

const sign = async (csr: string, dialect: Dialect = 'oca') =>
  (await tunnel(manager, { dialect, action: 'SignCertificate' }, { csr })).inner;
const requests = () =>
  manager.rows(
    'SELECT state, reason, attempts, certificate_chain FROM pnc_certificate_requests ORDER BY pnc_request_id',
  );
const spkiOf = (pem: string) =>
  String(new X509Certificate(pem).publicKey.export({ type: 'spki', format: 'pem' }));

test.each(['oca', 'has2be'] as const)(
  '%s: the response to SignCertificate is followed by a certificate that openssl verifies',
  async (dialect) => {
    await connect();
    const { csr, spki } = makeRequest();
    const sent = dialect === 'oca' ? csr : csr.replaceAll(/-----.*-----|\n/g, '');
    const before = manager.published().length;
    expect(await sign(sent, dialect)).toEqual({ status: 'Accepted' });
    const order = manager
      .published()
      .slice(before)
      .map(({ type }) => type);
    expect(order).toEqual([3, 2]);
    const { messageId, call } = lastTunnelled(manager);
    expect(messageId).toBe('CertificateSigned');
    const [row] = await requests();
    expect(row).toMatchObject({ state: 'signed', attempts: 1 });
    const chain = String(row?.['certificate_chain']);
    expect(spkiOf(chain)).toBe(spki);
    expect(chain.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    const file = join(pki.sub.folder, 'chain.pem');
    writeFileSync(file, chain);
    const verified = execFileSync('openssl', [
      ...['verify', '-CAfile', pki.root.issued.certificateFile, '-untrusted', file, file],
    ]).toString();
    expect(verified).toContain('OK');
    await manager.answer(call, tunnelled({ status: 'Accepted' }));
    expect(await requests()).toMatchObject([{ state: 'installed' }]);
  },
);

test('a SignCertificate with another key supersedes the previous one', async () => {
  await connect();
  await sign(makeRequest().csr);
  const previous = lastTunnelled(manager).call;
  const { csr, spki } = makeRequest();
  await sign(csr);
  expect(await requests()).toMatchObject([{ state: 'superseded' }, { state: 'signed' }]);
  await manager.answer(previous, tunnelled({ status: 'Rejected' }));
  const { call, payload } = lastTunnelled(manager);
  expect(spkiOf(String(payload['certificateChain']))).toBe(spki);
  await manager.answer(call, tunnelled({ status: 'Accepted' }));
  expect(await requests()).toMatchObject([{ state: 'superseded' }, { state: 'installed' }]);
});

test('the certificate waits for a station that is not connected, and is not signed twice', async () => {
  await sign(makeRequest().csr);
  expect(await requests()).toMatchObject([{ state: 'signed', attempts: 1 }]);
  manager.setNow(new Date(Date.now() + 120_000));
  await manager.leafSigner.sweep();
  manager.setNow(undefined);
  expect(await manager.rows("SELECT status FROM commands WHERE action = 'DataTransfer'")).toEqual([
    { status: 'queued' },
  ]);
  expect(await requests()).toMatchObject([{ attempts: 1 }]);
});

test('requests left over from a crashed manager are signed by another, and unsignable ones are abandoned', async () => {
  await manager.rows(
    `INSERT INTO pnc_certificate_requests (station_id, message_id, dialect, csr, state, requested_at, attempts, attempted_at)
     VALUES ('CP1', 'm1', 'oca', $1, 'requested', now(), 1, now() - interval '2 minutes'),
       ('CP2', 'm2', 'oca', 'broken', 'requested', now(), 2, now() - interval '2 minutes'),
       ('CP3', 'm3', 'oca', 'busy', 'requested', now(), 1, now())`,
    [makeRequest().csr],
  );
  await manager.leafSigner.sweep();
  expect(await requests()).toMatchObject([
    { state: 'signed', attempts: 2 },
    { state: 'requested', attempts: 3, reason: expect.any(String) as unknown },
    { state: 'requested', attempts: 1, reason: null },
  ]);
});

test('a request that is not signed with its own key is rejected', async () => {
  const { csr } = makeRequest();
  const der = Buffer.from(csr.replace(/-----.*-----/g, ''), 'base64');
  der[der.length - 1] = (der.at(-1) ?? 0) ^ 1;
  const forged = `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
  expect(await sign(forged)).toEqual({ status: 'Rejected' });
  expect(await requests()).toMatchObject([
    { state: 'rejected', reason: expect.stringContaining('sign') as unknown },
  ]);
});

test('has2be: a ChargingStationCertificate cannot be requested through the tunnel', async () => {
  const request = { csr: makeRequest().csr, typeOfCertificate: 'ChargingStationCertificate' };
  const { inner } = await tunnel(manager, { dialect: 'has2be', action: 'SignCertificate' }, request);
  expect(inner).toEqual({ status: 'Rejected' });
});

/** Responders that no test here asks. */
function respondersOf({ database }: TestManager): Responders {
  return new Responders({ database, now: () => new Date(), request: outbound({ allowPrivate: false }) });
}

test('without a file the built-in authority signs, and its chains end at its V2G root', async () => {
  const { database } = manager;
  const now = () => new Date();
  const sealer = new Sealer('a secret of managers');
  const authority = new Authority({ database, sealer, organisation: 'Us', stationDays: 30, now });
  const services = await openPnc(
    {},
    { database, responders: respondersOf(manager), organisation: 'Us', authority, now },
  );
  const { csr, spki } = makeRequest();
  const chain = (await services.issueV2g?.('CP1', csr)) ?? '';
  expect(spkiOf(chain)).toBe(spki);
  expect(new X509Certificate(chain).subject.split('\n').sort()).toEqual(['CN=SECC-1', 'DC=CPO', 'O=Us']);
  const [root, leaf] = [join(pki.sub.folder, 'builtin.pem'), join(pki.sub.folder, 'builtin-leaf.pem')];
  writeFileSync(root, await authority.rootPem('v2g'));
  writeFileSync(leaf, chain);
  expect(chain.match(/BEGIN CERTIFICATE/g)).toHaveLength(1);
  expect(execFileSync('openssl', ['verify', '-CAfile', root, leaf]).toString()).toContain('OK');
});

test.each([
  ['does not exist', () => join(pki.sub.folder, 'none.pem')],
  ['has no key', () => pki.sub.issued.certificateFile],
  ['has no certificate', () => pki.sub.issued.keyFile],
  [
    'has a key that does not match',
    () => {
      const file = join(pki.sub.folder, 'mixed.pem');
      writeFileSync(file, pki.root.issued.key + pki.sub.pem);
      return file;
    },
  ],
])('the manager does not start with a CA file that %s', async (_name, file) => {
  const about = {
    database: manager.database,
    responders: respondersOf(manager),
    organisation: 'Us',
    now: () => new Date(),
  };
  await expect(openPnc({ v2gCaFile: file() }, about)).rejects.toThrow('EVANDER_V2G_CA_FILE');
});
