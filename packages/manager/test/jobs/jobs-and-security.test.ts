import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { CSR, ROOT_ONE, SERIAL_ONE } from '../certificates/certificates.ts';
import { allPages, openApi } from '../http/harness.ts';
import type { TestApi } from '../http/harness.ts';
import { addTag } from '../test-manager.ts';

let api: TestApi;
beforeAll(async () => {
  api = await openApi();
});
afterAll(() => api.close());

const get = async (path: string) => (await api.send('GET', `/api/v1${path}`)).body;
const all = (path: string, limit: number) => allPages(api, `/api/v1${path}`, limit);

test("a station's jobs are listed newest first, filtered, and each has its history", async () => {
  const location = 'ftp://evander:secret@files.example/';
  for (let i = 0; i < 5; i++)
    await api.manager.command('GetDiagnostics', { location }, { fileName: `${i}.zip` });
  for (const status of ['Uploading', 'Uploaded'])
    await api.manager.ask('DiagnosticsStatusNotification', { status });
  await api.manager.command(
    'GetLog',
    { log: { remoteLocation: location }, logType: 'SecurityLog' },
    { status: 'Rejected' },
  );
  const listed = await all('/stations/CP1/jobs', 2);
  expect(listed.map(({ fileName }) => fileName)).toEqual([null, '4.zip', '3.zip', '2.zip', '1.zip', '0.zip']);
  expect(listed[0]).toMatchObject({
    kind: 'log',
    logType: 'SecurityLog',
    outcome: 'failed',
    reason: 'Rejected',
  });
  expect(JSON.stringify(listed)).not.toContain('secret');
  expect(await all('/stations/CP1/jobs?kind=diagnostics&outcome=cancelled', 3)).toHaveLength(4);
  expect((await api.send('GET', '/api/v1/stations/CP2/jobs')).status).toBe(404);
  const job = await get(`/jobs/${String(listed[1]?.['jobId'])}`);
  expect(job).toMatchObject({
    stationId: 'CP1',
    kind: 'diagnostics',
    outcome: 'succeeded',
    status: 'Uploaded',
    location: 'ftp://evander:***@files.example/',
    history: [{ status: 'Uploaded' }, { status: 'Uploading' }],
  });
  expect(await api.send('GET', '/api/v1/jobs/999999')).toMatchObject({ status: 404 });
  expect(await api.send('GET', '/api/v1/stations/CP1/jobs?kind=other')).toMatchObject({ status: 400 });
});

test('security events of all stations are listed newest first, each once, and filtered', async () => {
  const day = (i: number): string => `2026-11-${String(i + 1).padStart(2, '0')}T10:00:00.000Z`;
  for (let i = 0; i < 9; i++)
    for (const type of ['ResetOrReboot', 'InvalidMessages'])
      await api.manager.ask('SecurityEventNotification', { type, timestamp: day(i >> 1), techInfo: `${i}` });
  await api.manager.ask(
    'SecurityEventNotification',
    { type: 'ResetOrReboot', timestamp: day(2) },
    { stationId: 'CP1', id: 'again' },
  );
  const listed = await all('/security-events', 3);
  expect(listed.map(({ occurredAt }) => occurredAt)).toEqual([4, 4, 3, 3, 2, 2, 1, 1, 0, 0].map(day));
  expect(listed[0]).toMatchObject({
    stationId: 'CP1',
    type: 'ResetOrReboot',
    isCritical: true,
    techInfo: '8',
  });
  const some = await all(`/security-events?stationId=CP1&type=resetorreboot&from=${day(1)}&to=${day(3)}`, 1);
  expect(some.map(({ occurredAt }) => occurredAt)).toEqual([day(2), day(1)]);
  expect(await all('/security-events?critical=false', 4)).toHaveLength(5);
  expect((await get('/security-events?stationId=CP2')).items).toEqual([]);
});

test('certificates of a station are listed with the hash data for DeleteCertificate', async () => {
  const certificateType = 'CentralSystemRootCertificate';
  await api.manager.command(
    'InstallCertificate',
    { certificateType, certificate: ROOT_ONE },
    { status: 'Accepted' },
  );
  expect((await get('/stations/CP1/certificates')).items).toMatchObject([
    { certificateType, serialNumber: SERIAL_ONE, certificateHashData: null, pem: ROOT_ONE, reportedAt: null },
  ]);
  const hash = { hashAlgorithm: 'SHA256', issuerNameHash: 'AA', issuerKeyHash: 'BB' };
  const certificateHashData = [SERIAL_ONE, '2', '3'].map((serialNumber) => ({ ...hash, serialNumber }));
  await api.manager.command(
    'GetInstalledCertificateIds',
    { certificateType },
    { status: 'Accepted', certificateHashData },
  );
  const listed = await all('/stations/CP1/certificates', 2);
  expect(listed.map((item) => item['certificateHashData'])).toEqual(certificateHashData);
  expect(listed[0]).toMatchObject({ pem: ROOT_ONE, validTo: '2126-10-30T20:08:34.000Z' });
  expect((await get('/stations/CP1/certificates?certificateType=ManufacturerRootCertificate')).items).toEqual(
    [],
  );
});

test('certificate requests of a station are listed newest first', async () => {
  for (const csr of ['no', CSR, CSR]) await api.manager.ask('SignCertificate', { csr });
  const listed = await all('/stations/CP1/certificate-requests', 2);
  expect(listed).toMatchObject([
    { state: 'requested', csr: CSR, certificateChain: null },
    { state: 'superseded' },
    { state: 'rejected', csr: 'no', reason: expect.stringContaining('PKCS#10') as unknown },
  ]);
  expect((await get('/stations/CP1/certificate-requests?state=requested')).items).toHaveLength(1);
});

test('reservations of a station are listed newest first; they expire with time', async () => {
  const expiryDate = new Date(Date.now() + 3_600_000).toISOString();
  await addTag(api.manager, 'T');
  for (let connectorId = 1; connectorId <= 5; connectorId++) {
    const request = { connectorId, idTag: 'T', expiryDate };
    await api.manager.command('ReserveNow', request, { status: connectorId === 5 ? 'Occupied' : 'Accepted' });
  }
  await api.manager.rows(
    "UPDATE reservations SET expiry_date = now() - interval '1 minute' WHERE connector_id = 1",
  );
  const listed = await all('/stations/CP1/reservations', 2);
  expect(listed.map(({ connectorId, state }) => [connectorId, state])).toEqual([
    [5, 'refused'],
    [4, 'active'],
    [3, 'active'],
    [2, 'active'],
    [1, 'expired'],
  ]);
  expect(listed[4]?.['endedAt']).toBe(listed[4]?.['expiryDate']);
  expect(await all('/stations/CP1/reservations?state=active', 2)).toHaveLength(3);
  expect((await get('/stations/CP1/reservations?state=expired')).items).toMatchObject([{ connectorId: 1 }]);
});

test('a job without reports is shown as silent, and continues with the next report', async () => {
  const request = { location: 'http://files.example/1.bin', retrieveDate: '2026-11-24T10:00:00Z' };
  await api.manager.command('UpdateFirmware', request, {});
  const silent = '/stations/CP1/jobs?silent=true';
  expect((await get(silent)).items).toEqual([]);
  const twoHoursAgo = new Date(Date.now() - 7_200_000);
  await api.manager.rows(
    `UPDATE station_jobs SET requested_at = $1, accepted_at = $1 WHERE kind = 'firmware'`,
    [twoHoursAgo],
  );
  expect((await get(silent)).items).toMatchObject([
    { kind: 'firmware', outcome: 'running', silentSince: twoHoursAgo.toISOString() },
  ]);
  await api.manager.ask('FirmwareStatusNotification', { status: 'Downloading' });
  expect((await get(silent)).items).toEqual([]);
  expect((await get('/stations/CP1/jobs?silent=false&kind=firmware')).items).toMatchObject([
    { outcome: 'running', status: 'Downloading', silentSince: null },
  ]);
});

test('removing a station removes its reservations and certificates; its jobs and security events stay', async () => {
  expect((await api.send('DELETE', '/api/v1/stations/CP1')).status).toBe(204);
  for (const list of ['reservations', 'certificates', 'certificate-requests'])
    expect((await api.send('GET', `/api/v1/stations/CP1/${list}`)).status).toBe(404);
  expect((await get('/stations/CP1/jobs')).items).toHaveLength(7);
  expect((await get('/security-events?stationId=CP1')).items).toHaveLength(10);
});
