import { Certificate, readCrl } from '@evander/pki';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import * as issuedCertificates from '../../src/certificates/issued-certificates.store.ts';
import type { RevocationReason } from '../../src/certificates/issued-certificates.store.ts';
import { CSR } from '../certificates/certificates.ts';
import { openApi } from '../http/harness.ts';
import type { TestApi } from '../http/harness.ts';
import { runRetention } from './retention-run.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const OLD = new Date(Date.now() - 100 * DAY_MS);
const OLDEST = new Date(Date.now() - 150 * DAY_MS);

let api: TestApi;
beforeAll(async () => {
  api = await openApi();
});
afterAll(() => api.close());
afterEach(async () => {
  api.manager.setNow(undefined);
  await api.manager.rows(
    'TRUNCATE issued_certificates, certificate_requests, pnc_certificate_requests, firmware_campaigns CASCADE',
  );
});

async function issue(revokedFor?: RevocationReason): Promise<Certificate> {
  const certificate = Certificate.parse(await api.certificates.authority.issueForStation('CP1', CSR));
  const { database, now } = api.manager;
  if (revokedFor)
    await issuedCertificates.revoke(database, certificate.serialNumber, { reason: revokedFor, at: now() });
  return certificate;
}

/** Whether the CRL contains each of these certificates. */
async function listed(certificates: Certificate[]): Promise<boolean[]> {
  const crl = readCrl(await api.certificates.authority.revocationList());
  return certificates.map(({ serialNumber }) => crl.has(serialNumber));
}

async function stored(): Promise<unknown[]> {
  const rows = await api.manager.rows('SELECT serial_number FROM issued_certificates ORDER BY issued_at');
  return rows.map((row) => row['serial_number']);
}

test('issued certificates are removed some days after their expiry; those with a compromised key stay', async () => {
  const good = await issue();
  const superseded = await issue('superseded');
  const compromised = await issue('keyCompromise');
  const all = [good, superseded, compromised].map(({ serialNumber }) => serialNumber);
  const at = async (ms: number): Promise<unknown[]> => {
    api.manager.setNow(new Date(good.notAfter.getTime() + ms));
    await runRetention(api.manager, { issuedCertificates: 30 });
    return stored();
  };
  expect(await at(-HOUR_MS)).toEqual(all);
  expect(await listed([good, superseded, compromised])).toEqual([false, true, true]);
  expect(await at(29 * DAY_MS)).toEqual(all);
  expect(await at(31 * DAY_MS)).toEqual([compromised.serialNumber]);
});

test('a CRL still contains a revoked certificate for a day after its expiry', async () => {
  const revoked = await issue('superseded');
  for (const [hours, isListed] of [
    [1, true],
    [23, true],
    [49, false],
  ] as const) {
    api.manager.setNow(new Date(revoked.notAfter.getTime() + hours * HOUR_MS));
    await runRetention(api.manager, { issuedCertificates: 1 });
    expect(await listed([revoked])).toEqual([isListed]);
  }
});

test.each(['certificate_requests', 'pnc_certificate_requests'])(
  '%s are removed some days after their last change, unless they wait to be signed',
  async (table) => {
    const dialect = table === 'certificate_requests' ? '' : ', dialect';
    await api.manager.rows(
      `INSERT INTO ${table} (station_id, message_id, csr, state, requested_at, signed_at, completed_at${dialect})
       SELECT 'CP1', n, 'csr', state, $1, signed_at, completed_at${dialect && ", 'oca'"} FROM (VALUES
         (1, 'requested', NULL, NULL), (2, 'rejected', NULL, NULL), (3, 'signed', $2::timestamptz, NULL),
         (4, 'signed', now(), NULL), (5, 'installed', $1, $2::timestamptz), (6, 'installed', $1, now()), (7, 'refused', $1, $2),
         (8, 'refused', $1, now()), (9, 'superseded', NULL, $2)) AS v (n, state, signed_at, completed_at)`,
      [OLDEST, OLD],
    );
    await runRetention(api.manager, { certificateRequests: 30 });
    const rows = await api.manager.rows(`SELECT state FROM ${table} ORDER BY message_id`);
    expect(rows.map(({ state }) => state)).toEqual(['requested', 'signed', 'installed', 'refused']);
  },
);

test('firmware campaigns are removed with their stations some days after everything has ended', async () => {
  const add = async (
    name: string,
    state: string,
    stations: { state: string; completedAt: Date | null }[],
    endedAt: Date | null = OLD,
  ): Promise<void> => {
    const campaignId = randomUUID();
    await api.manager.rows(
      `INSERT INTO firmware_campaigns (campaign_id, name, file_id, file_name, signed, state, waves, rollback_on_stop,
         progress_timeout_seconds, absence_timeout_seconds, created_at, ended_at, leased_until)
       VALUES ($1, $2, $1, 'f', 'auto', $3, 1, 'none', 1, 1, $4, $5, $4)`,
      [campaignId, name, state, OLDEST, endedAt],
    );
    for (const [i, { state: stationState, completedAt }] of stations.entries())
      await api.manager.rows(
        `INSERT INTO firmware_campaign_stations (campaign_id, station_id, wave, state, completed_at) VALUES ($1, $2, 1, $3, $4)`,
        [campaignId, `CP${i}`, stationState, completedAt],
      );
  };
  const installed = { state: 'installed', completedAt: OLD };
  for (let i = 0; i < 25; i++) await add(`done ${i}`, 'done', [installed, { ...installed, state: 'failed' }]);
  await add('cancelled', 'cancelled', [{ state: 'skipped', completedAt: OLD }]);
  await add('just done', 'done', [installed], new Date());
  await add('rolled back just now', 'done', [installed, { state: 'rolledBack', completedAt: new Date() }]);
  await add('rolling back', 'done', [installed, { state: 'waiting', completedAt: null }]);
  await add('cancelled, still installing', 'cancelled', [{ state: 'installing', completedAt: null }]);
  for (const state of ['draft', 'running', 'paused', 'stopped'])
    await add(state, state, [{ state: 'failed', completedAt: OLD }], null);
  await runRetention(api.manager, { firmwareCampaigns: 30 });
  const left = await api.manager.rows('SELECT name FROM firmware_campaigns ORDER BY name');
  expect(left.map(({ name }) => name)).toEqual([
    'cancelled, still installing',
    'draft',
    'just done',
    'paused',
    'rolled back just now',
    'rolling back',
    'running',
    'stopped',
  ]);
  const [stations] = await api.manager.rows('SELECT count(*)::int AS count FROM firmware_campaign_stations');
  expect(stations).toEqual({ count: 10 });
});
