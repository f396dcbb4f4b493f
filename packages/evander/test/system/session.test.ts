import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Gateway } from '@evander/gateway';
import type { Manager } from '@evander/manager';
import type { RPCClient } from 'ocpp-rpc';
import { apiOf, eventually, startServices } from './fixture.ts';
import type { Services } from './fixture.ts';
import { foreignStation } from './foreign-station.ts';

let services: Services;
let managers: Manager[];
let gateways: Gateway[];
beforeAll(async () => {
  services = await startServices();
  managers = [await services.startManager(), await services.startManager()];
  gateways = [await services.startGateway(managers), await services.startGateway(managers)];
  await apiOf(managers[0]?.apiUrl ?? '')('PUT', '/tags/TAG1', { status: 'Accepted' });
});
afterAll(() => services.close());

function connect(identity: string, gateway = 0, options = {}): RPCClient {
  return foreignStation(gateways[gateway], identity, options);
}

const STARTED = '2026-11-20T10:00:00.000Z';
const STOPPED = '2026-11-20T11:00:00.000Z';

test('a third-party station completes a session, and the API shows it', async () => {
  const api = apiOf(managers[0]?.apiUrl ?? '');
  const station = connect('RDAM 123');
  await station.connect();
  const boot = await station.call('BootNotification', {
    chargePointVendor: 'Foreign',
    chargePointModel: 'M1',
  });
  expect(boot).toMatchObject({ status: 'Accepted', interval: 300 });
  await station.call('StatusNotification', { connectorId: 1, status: 'Preparing', errorCode: 'NoError' });
  expect(await station.call('Authorize', { idTag: 'TAG1' })).toEqual({ idTagInfo: { status: 'Accepted' } });
  const start = { connectorId: 1, idTag: 'TAG1', meterStart: 100, timestamp: STARTED };
  const { transactionId } = (await station.call('StartTransaction', start)) as { transactionId: number };
  for (const minute of [10, 20, 30]) {
    const timestamp = `2026-11-20T10:${minute}:00Z`;
    const sampledValue = [
      { value: `${minute * 100}` },
      { value: '11000', measurand: 'Power.Active.Import', unit: 'W' },
    ];
    expect(
      await station.call('MeterValues', {
        connectorId: 1,
        transactionId,
        meterValue: [{ timestamp, sampledValue }],
      }),
    ).toEqual({});
  }
  await station.call('StopTransaction', {
    transactionId,
    idTag: 'TAG1',
    meterStop: 7600,
    timestamp: STOPPED,
    reason: 'Local',
  });
  await station.call('Heartbeat', {});
  await station.close();

  expect((await api('GET', `/transactions/${transactionId}`)).body).toMatchObject({
    stationId: 'RDAM 123',
    idTag: 'TAG1',
    startedAt: STARTED,
    stoppedAt: STOPPED,
    meterStartWh: 100,
    meterStopWh: 7600,
    energyWh: 7500,
    stopReason: 'Local',
  });
  const values = (await api('GET', `/transactions/${transactionId}/meter-values`)).body as {
    items: { value: string }[];
  };
  expect(values.items.map(({ value }) => value).sort()).toEqual([
    '1000',
    '11000',
    '11000',
    '11000',
    '2000',
    '3000',
  ]);
  expect((await api('GET', '/stations/RDAM%20123')).body).toMatchObject({
    vendor: 'Foreign',
    registrationStatus: 'Accepted',
    connectors: [{ connectorId: 1, status: 'Preparing' }],
  });
  const frames = (await api('GET', '/stations/RDAM%20123/messages?action=StartTransaction')).body as {
    items: unknown[];
  };
  expect(frames.items).toHaveLength(2);
});

test('a start and a stop form one transaction: same id, new id, new connection, other gateway, other manager', async () => {
  const start = { connectorId: 1, idTag: 'TAG1', meterStart: 5, timestamp: STARTED };
  const answers: unknown[] = [];
  const stops: unknown[] = [];
  for (let round = 0; round < 6; round++) {
    const station = connect('REPEATER', round % 2);
    await station.connect();
    if (round === 0)
      await station.call('BootNotification', { chargePointVendor: 'V', chargePointModel: 'M' });
    answers.push(
      await station.call('StartTransaction', start),
      await station.call('StartTransaction', start),
    );
    await station.close();
  }
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  const { transactionId } = answers[0] as { transactionId: number };
  const stop = { transactionId, idTag: 'TAG1', meterStop: 905, timestamp: STOPPED };
  for (let round = 0; round < 6; round++) {
    const station = connect('REPEATER', round % 2);
    await station.connect();
    stops.push(await station.call('StopTransaction', stop), await station.call('StopTransaction', stop));
    await station.close();
  }
  expect(new Set(stops.map((answer) => JSON.stringify(answer))).size).toBe(1);
  expect(await services.rows("SELECT energy_wh FROM transactions WHERE station_id = 'REPEATER'")).toEqual([
    { energy_wh: 900 },
  ]);
  expect(await services.rows('SELECT 1 FROM unmatched_stops')).toEqual([]);
});

test('a password set through the API is required at the next handshake', async () => {
  const api = apiOf(managers[1]?.apiUrl ?? '');
  expect(
    (
      await api('PUT', '/stations/AL1000', {
        securityProfile: 1,
        password: '0001020304050607FFFFFFFFFFFFFFFFFFFFFFFF',
      })
    ).status,
  ).toBe(201);
  await expect(connect('AL1000').connect()).rejects.toThrow('Unauthorized');
  const key = Buffer.from('0001020304050607FFFFFFFFFFFFFFFFFFFFFFFF', 'hex');
  const station = connect('AL1000', 0, { password: key });
  await station.connect();
  expect(
    await station.call('BootNotification', { chargePointVendor: 'V', chargePointModel: 'M' }),
  ).toMatchObject({ status: 'Accepted' });
  await station.close();
});

test('the API shows connected stations, and rejected ones with the reason', async () => {
  const api = apiOf(managers[0]?.apiUrl ?? '');
  await expect(connect('ODD', 0, { protocols: ['ocpp2.0.1'] }).connect()).rejects.toThrow('Bad Request');
  const station = connect('HERE');
  await station.connect();
  await eventually(async () => {
    expect((await api('GET', '/stations/HERE')).body).toMatchObject({ connected: true });
    expect((await api('GET', '/stations/ODD')).body).toMatchObject({
      rejected: [{ status: 400, reason: expect.stringContaining('ocpp2.0.1') as unknown }],
    });
  });
  await station.close();
  await eventually(async () => {
    expect((await api('GET', '/stations/HERE')).body).toMatchObject({ connected: false });
  });
});
