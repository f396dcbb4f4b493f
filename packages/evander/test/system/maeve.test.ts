import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { BrokerClient } from '@evander/broker';
import { apiOf, eventually, startServices } from './fixture.ts';
import type { Services } from './fixture.ts';

/** MaEVe's envelope: exactly these fields (its gateway/pipe/message.go). */
interface Message {
  type: 2 | 3 | 4;
  action: string;
  id: string;
  request?: object;
  response?: object;
  error_code?: string;
  error_description?: string;
}

let services: Services;
let api: ReturnType<typeof apiOf>;
let client: BrokerClient;
const out: { stationId: string; message: Message }[] = [];

beforeAll(async () => {
  services = await startServices();
  const manager = await services.startManager();
  api = apiOf(manager.apiUrl);
  const prefix = `${services.mqttPrefix}/out/ocpp1.6/`;
  await new Promise<void>((resolve) => {
    client = new BrokerClient({
      url: services.mqttUrlOf('gateway'),
      clientId: 'a gateway of MaEVe',
      filters: [`${prefix}#`],
      onConnect: resolve,
      onMessage: (topic, payload) => {
        const message = JSON.parse(payload.toString()) as Message;
        out.push({ stationId: topic.slice(prefix.length), message });
      },
    });
  });
}, 60_000);
afterAll(async () => {
  await client.close();
  await services.close();
}, 60_000);

function publish(stationId: string, message: Message): void {
  client.publish(`${services.mqttPrefix}/in/ocpp1.6/${stationId}`, JSON.stringify(message));
}

async function next(stationId: string, matches: (message: Message) => boolean): Promise<Message> {
  return eventually(() => {
    const found = out.find((one) => one.stationId === stationId && matches(one.message));
    if (!found) throw new Error(`nothing came for ${stationId}: ${JSON.stringify(out)}`);
    return found.message;
  });
}

/** A call as MaEVe's gateway publishes it, with neither a connection nor a time. */
async function call(stationId: string, action: string, request: object): Promise<Message> {
  const id = `${action}-${Math.random().toString(36).slice(2)}`;
  publish(stationId, { type: 2, action, id, request });
  return next(stationId, (message) => message.type !== 2 && message.id === id);
}

const boot = { chargePointVendor: 'Vendor', chargePointModel: 'Model' };

test("behind MaEVe's gateway an active station is registered, served and shown as connected", async () => {
  const answer = await call('M1', 'BootNotification', boot);
  expect(answer).toMatchObject({
    type: 3,
    action: 'BootNotification',
    response: { status: 'Accepted' },
  });
  expect(await api('GET', '/stations/M1')).toMatchObject({ status: 200, body: { connected: true } });
  expect(await call('M1', 'Heartbeat', {})).toMatchObject({ type: 3, response: {} });
  expect(await services.rows("SELECT kind FROM events WHERE station_id = 'M1' ORDER BY id")).toMatchObject([
    { kind: 'station.connected' },
    { kind: 'station.booted' },
  ]);
});

test("behind MaEVe's gateway a command is sent once, and its answer counts once", async () => {
  await call('M2', 'BootNotification', boot);
  const sending = api('POST', '/stations/M2/commands/Reset', { type: 'Soft' });
  const { id, action, request = {} } = await next('M2', ({ type }) => type === 2);
  const answer: Message = { type: 3, action, id, request, response: { status: 'Accepted' } };
  publish('M2', answer);
  publish('M2', answer);
  expect(await sending).toMatchObject({ status: 200, body: { status: 'answered' } });
  const completed = await eventually(async () => {
    const rows = await services.rows(
      "SELECT data FROM events WHERE station_id = 'M2' AND kind = 'command.completed'",
    );
    if (rows.length === 0) throw new Error('no event');
    return rows;
  });
  expect(completed).toHaveLength(1);
});

test("MaEVe's gateway would send a repeated command to the station again, so it is not repeated", async () => {
  await call('M3', 'BootNotification', boot);
  // Without an answer it times out after 6 s; with Evander's gateway it would have been published again after 3 s.
  const { body } = await api('POST', '/stations/M3/commands/ClearCache', {});
  expect(body).toMatchObject({ status: 'timedOut' });
  expect(out.filter(({ stationId, message }) => stationId === 'M3' && message.type === 2)).toHaveLength(1);
});

test("a station's error is read in the format of MaEVe's gateway", async () => {
  await call('M4', 'BootNotification', boot);
  const sending = api('POST', '/stations/M4/commands/ClearCache', {});
  const { id, action, request = {} } = await next('M4', ({ type }) => type === 2);
  publish('M4', { type: 4, action, id, request, error_code: 'NotSupported', error_description: '' });
  expect(await sending).toMatchObject({ body: { status: 'failed', error: { code: 'NotSupported' } } });
});

test('a station that is silent for more than two heartbeat intervals is no longer connected', async () => {
  await call('M5', 'BootNotification', boot);
  await services.rows("UPDATE connections SET heard_until = now() WHERE station_id = 'M5'");
  expect(await api('POST', '/stations/M5/commands/ClearCache', {})).toMatchObject({ status: 409 });
  expect((await api('GET', '/stations/M5')).body).toMatchObject({ connected: false });
});
