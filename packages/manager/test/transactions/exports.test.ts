import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { connect as connectSocket } from 'node:net';
import { KEYS, openApi } from '../http/harness.ts';
import type { TestApi } from '../http/harness.ts';
import { addTag } from '../test-manager.ts';

let api: TestApi;
beforeAll(async () => {
  api = await openApi();
  await addTag(api.manager, '=HYPERLINK("x")');
});
afterAll(() => api.close());

async function text(path: string, key: string = KEYS.viewer): Promise<{ headers: Headers; body: string }> {
  const response = await fetch(`${api.url}/api/v1${path}`, { headers: { authorization: `Bearer ${key}` } });
  expect(response.status).toBe(200);
  return { headers: response.headers, body: await response.text() };
}

/** Parses CSV strictly by RFC 4180; throws on a violation. */
function read(csv: string): Record<string, string>[] {
  const cell = /("(?:[^"]|"")*"|[^",\r\n]*)(,|\r\n)/y;
  const records: string[][] = [[]];
  while (cell.lastIndex < csv.length) {
    const at = cell.lastIndex;
    const [, field = '', end] = cell.exec(csv) ?? [];
    if (end === undefined) throw new Error(`not RFC 4180 at ${at}: ${csv.slice(at, at + 40)}`);
    records.at(-1)?.push(field.startsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : field);
    if (end === '\r\n') records.push([]);
  }
  const [names = [], ...rows] = records.slice(0, -1);
  for (const row of rows) expect(row).toHaveLength(names.length);
  return rows.map((row) => Object.fromEntries(names.map((name, i) => [name, row[i] ?? ''])));
}

async function start(connectorId: number, idTag: string): Promise<number> {
  const request = { connectorId, idTag, meterStart: 1000, timestamp: '2026-11-20T10:00:00Z' };
  const { response } = await api.manager.ask('StartTransaction', request);
  return (response as { transactionId: number }).transactionId;
}

test('transactions are exported as CSV, with the filters of the list and with formulas escaped', async () => {
  const [first, second] = [await start(1, '=HYPERLINK("x")'), await start(2, 'A,B "C"')];
  await api.send('POST', `/api/v1/transactions/${first}/close`, { reason: '+1\nsecond line, "quoted"' });
  const { headers, body } = await text('/transactions.csv');
  expect(headers.get('content-type')).toBe('text/csv; charset=utf-8; header=present');
  expect(headers.get('content-disposition')).toBe('attachment; filename="transactions.csv"');
  expect(body.split('\r\n')[0]).toMatch(/^transactionId,stationId,connectorId,state,idTag,/);
  expect(body.endsWith('\r\n')).toBe(true);
  const rows = read(body);
  expect(rows.map(({ transactionId }) => Number(transactionId))).toEqual([second, first]);
  expect(rows[0]).toMatchObject({ idTag: 'A,B "C"', state: 'open', energyWh: '', flags: '' });
  expect(rows[1]).toMatchObject({
    idTag: `'=HYPERLINK("x")`,
    state: 'closed',
    startedAt: '2026-11-20T10:00:00.000Z',
    meterStartWh: '1000',
    closedBy: 'admin',
    closeReason: `'+1\nsecond line, "quoted"`,
  });
  expect(read((await text('/transactions.csv?state=open')).body)).toHaveLength(1);
  expect(read((await text('/transactions.csv?stationId=CP9')).body)).toEqual([]);
  expect((await api.send('GET', '/api/v1/transactions.csv?limit=5')).status).toBe(400);
  expect((await api.send('GET', '/api/v1/transactions.csv?from=noon')).status).toBe(400);
  expect((await api.send('GET', '/api/v1/transactions.csv', undefined, null)).status).toBe(401);
});

test("a transaction's samples are exported as sent; a negative number is not escaped as a formula", async () => {
  const transactionId = await start(3, 'TAG');
  const sampledValue = [
    { value: '-12.50', measurand: 'Power.Active.Import', unit: 'W' },
    { value: '-cmd|x', measurand: 'Voltage' },
    { value: '1500' },
  ];
  const meterValue = [{ timestamp: '2026-11-20T10:05:00Z', sampledValue }];
  await api.manager.ask('MeterValues', { connectorId: 3, transactionId, meterValue });
  const rows = read((await text(`/transactions/${transactionId}/meter-values.csv`)).body);
  expect(rows.map(({ value }) => value).sort()).toEqual(["'-cmd|x", '-12.50', '1500']);
  expect(rows[0]).toMatchObject({ connectorId: '3', measuredAt: '2026-11-20T10:05:00.000Z' });
  const one = read((await text(`/transactions/${transactionId}/meter-values.csv?measurand=Voltage`)).body);
  expect(one).toHaveLength(1);
  expect((await api.send('GET', '/api/v1/transactions/424242/meter-values.csv')).status).toBe(404);
});

test('a long export is complete; stalled readers do not occupy the pool, and too many of them get 429', async () => {
  await api.manager.rows(
    `INSERT INTO transactions (station_id, connector_id, id_tag, id_tag_key, id_tag_status, meter_start_wh, started_at,
       start_message_id, start_received_at, start_id_tag_info)
     SELECT 'BIG', 1, repeat('x', 20), repeat('x', 20), 'Accepted', n, now(), 'm', now(), '{}' FROM generate_series(1, 60000) n`,
  );
  const { body } = await text('/transactions.csv?stationId=BIG');
  expect(body.split('\r\n')).toHaveLength(60_002);
  const { hostname, port } = new URL(api.url);
  const stalled = Array.from({ length: 4 }, () => connectSocket(Number(port), hostname));
  for (const socket of stalled) {
    socket.write(
      `GET /api/v1/transactions.csv HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${KEYS.viewer}\r\n\r\n`,
    );
    await once(socket, 'readable');
  }
  expect(api.manager.database.pool.waiting).toBe(0);
  expect((await api.send('GET', '/api/v1/transactions?limit=1')).status).toBe(200);
  expect(await api.send('GET', '/api/v1/transactions.csv')).toMatchObject({ status: 429 });
  for (const socket of stalled) socket.destroy();
  const deadline = Date.now() + 10_000;
  while ((await api.send('GET', '/api/v1/transactions.csv?stationId=CP1')).status !== 200)
    expect(Date.now()).toBeLessThan(deadline);
}, 120_000);

test('an aborted export is not a short file: its reader gets an error', async () => {
  const headers = { authorization: `Bearer ${KEYS.viewer}` };
  const response = await fetch(`${api.url}/api/v1/transactions.csv`, { headers });
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  await reader.read();
  const ended = await api.manager.rows(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE application_name = 'evander export' AND datname = current_database() AND state = 'active'`,
  );
  expect(ended).toContainEqual({ pg_terminate_backend: true });
  const rest = async (): Promise<void> => {
    while (!(await reader.read()).done);
  };
  await expect(rest()).rejects.toThrow('terminated');
});
