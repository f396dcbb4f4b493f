import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Gateway } from '@evander/gateway';
import type { Manager } from '@evander/manager';
import type { RPCClient } from 'ocpp-rpc';
import { apiOf, eventually, startServices } from './fixture.ts';
import type { Services } from './fixture.ts';
import { foreignStation } from './foreign-station.ts';

let services: Services;
let manager: Manager;
let gateways: Gateway[];
let api: ReturnType<typeof apiOf>;
beforeAll(async () => {
  services = await startServices();
  manager = await services.startManager();
  gateways = [await services.startGateway([manager]), await services.startGateway([manager])];
  api = apiOf(manager.apiUrl);
}, 60_000);
afterAll(() => services.close());

const PASSWORD = 'a password';

/** Connects a station that does not reconnect. */
async function connect(
  stationId: string,
  gateway = 0,
): Promise<{ client: RPCClient; closed: Promise<unknown> }> {
  const client = foreignStation(gateways[gateway], stationId, { password: PASSWORD, reconnect: false });
  const closed = new Promise((resolve) => client.once('close', resolve));
  await client.connect();
  await eventually(async () =>
    expect((await api('GET', `/stations/${stationId}`)).body).toMatchObject({ connected: true }),
  );
  return { client, closed };
}

test.each([
  [0, 1],
  [0, 2],
  [1, 2],
  [1, 3],
])('a connection of profile %i is closed when its station is raised to %i', async (from, to) => {
  const stationId = `RAISED-${from}-${to}`;
  await api('PUT', `/stations/${stationId}`, {
    securityProfile: from,
    ...(from > 0 && { password: PASSWORD }),
  });
  const { closed } = await connect(stationId, from);
  await api('PUT', `/stations/${stationId}`, {
    securityProfile: to,
    ...(from === 0 && { password: `${PASSWORD} of its own` }),
  });
  expect(await closed).toMatchObject({ code: 1008, reason: `its security profile is ${to} now` });
  await eventually(async () =>
    expect((await api('GET', `/stations/${stationId}`)).body).toMatchObject({ connected: false }),
  );
});

test('a connection that meets the new profile stays, also when the profile is lowered or other settings change', async () => {
  await api('PUT', '/stations/MEETS', { securityProfile: 0, password: PASSWORD });
  const { client } = await connect('MEETS');
  await api('PUT', '/stations/MEETS', { securityProfile: 1 });
  await api('PUT', '/stations/MEETS', { securityProfile: 0 });
  await api('PUT', '/stations/MEETS', { securityProfile: 1, serialNumbers: ['SN-1'] });
  // Managers' requests to gateways keep their order: when this connection is closed, the other one would have been too.
  await api('PUT', '/stations/LATER', { securityProfile: 0 });
  const { closed } = await connect('LATER');
  await api('PUT', '/stations/LATER', { securityProfile: 1, password: `${PASSWORD} of its own` });
  await closed;
  const boot = await client.call('BootNotification', { chargePointVendor: 'V', chargePointModel: 'M' });
  expect(boot).toMatchObject({ status: 'Accepted' });
  await client.close();
});

test('a profile raised while no manager could notify the gateways takes effect with the next listing', async () => {
  await api('PUT', '/stations/MISSED', { securityProfile: 0 });
  const { closed } = await connect('MISSED');
  await services.rows("UPDATE stations SET security_profile = 2 WHERE station_id = 'MISSED'");
  // A starting manager asks all gateways to list their connections.
  const second = await services.startManager();
  expect(await closed).toMatchObject({ code: 1008 });
  await second.close();
});

test('a handshake without a station id is listed separately, one with a double slash under its id', async () => {
  const url = gateways[0]?.url.replace('ws:', 'http:') ?? '';
  for (const path of ['', '//PLAIN']) await (await fetch(`${url}${path}`)).body?.cancel();
  await eventually(async () => {
    const { body } = await api('GET', '/rejected-connections');
    expect(body?.items).toMatchObject([{ remoteAddress: '127.0.0.1', status: 426, count: 1 }]);
    expect((await api('GET', '/stations/PLAIN')).body).toMatchObject({
      adopted: false,
      rejected: [{ status: 426, reason: expect.stringContaining('not a WebSocket handshake') as unknown }],
    });
  });
  const ids = ((await api('GET', '/stations')).body?.items as { stationId: string }[]).map(
    (one) => one.stationId,
  );
  expect(ids).not.toContain('');
});
