import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Gateway } from '@evander/gateway';
import type { RPCClient } from 'ocpp-rpc';
import { apiOf, eventually, startServices } from './fixture.ts';
import type { Answer, Services } from './fixture.ts';
import { foreignStation } from './foreign-station.ts';
import { startManagerProcess } from './manager-process.ts';
import type { ManagerProcess } from './manager-process.ts';

let services: Services;
let managers: ManagerProcess[];
let gateway: Gateway;
beforeAll(async () => {
  services = await startServices();
  managers = await Promise.all([startManagerProcess(services), startManagerProcess(services)]);
  gateway = await services.startGateway(managers);
}, 60_000);
afterAll(async () => {
  for (const { process } of managers) if (process.child.exitCode === null) await process.kill();
  await services.close();
});

function api(manager = 0): ReturnType<typeof apiOf> {
  return apiOf(managers[manager]?.apiUrl ?? '');
}

function send(stationId: string, action: string, body: object, manager = 0): Promise<Answer> {
  return api(manager)('POST', `/stations/${stationId}/commands/${action}`, body);
}

/** A station that answers commands when the test decides. */
interface SlowStation {
  rpc: RPCClient;
  /** Unanswered commands. */
  open: { params: unknown; answer(): void }[];
}

async function slowStation(identity: string): Promise<SlowStation> {
  const rpc = foreignStation(gateway, identity);
  const open: SlowStation['open'] = [];
  rpc.handle(({ params }) => {
    return new Promise((resolve) => {
      const one = { params, answer: () => resolve({ status: 'Accepted' }) };
      open.push(one);
    });
  });
  await rpc.connect();
  await rpc.call('BootNotification', { chargePointVendor: 'V', chargePointModel: 'M' });
  await eventually(async () => {
    expect((await api()('GET', `/stations/${identity}`)).body).toMatchObject({ connected: true });
  });
  return { rpc, open };
}

test('concurrent commands are sent one at a time; the station and others are served meanwhile', async () => {
  const slow = await slowStation('SLOW');
  const quick = await slowStation('QUICK');
  const waiting = ['1', '2', '3'].map(async (value, i) => {
    // In order, whichever manager accepts them.
    await eventually(async () => {
      const { items } = (await api()('GET', '/commands?stationId=SLOW')).body as { items: unknown[] };
      expect(items).toHaveLength(i);
    });
    return send('SLOW', 'ChangeConfiguration', { key: 'MinimumStatusDuration', value }, i % 2);
  });
  for (let turn = 1; turn <= 3; turn++) {
    await eventually(() => expect(slow.open).toHaveLength(turn));
    // Its calls are answered while it has not answered a command.
    expect(await slow.rpc.call('Heartbeat', {})).toHaveProperty('currentTime');
    if (turn === 1) {
      const other = send('QUICK', 'ClearCache', {});
      await eventually(() => expect(quick.open).toHaveLength(1));
      quick.open[0]?.answer();
      expect((await other).body).toMatchObject({ status: 'answered' });
      // All three are stored by now, and still only one is sent.
      await eventually(async () => {
        const { items } = (await api()('GET', '/commands?stationId=SLOW')).body as { items: unknown[] };
        expect(items).toHaveLength(3);
      });
    }
    expect(slow.open).toHaveLength(turn);
    slow.open[turn - 1]?.answer();
  }
  const outcomes = (await Promise.all(waiting)).map(({ body }) => body);
  expect(outcomes.map((body) => body?.status)).toEqual(['answered', 'answered', 'answered']);
  expect(slow.open.map(({ params }) => params)).toEqual(outcomes.map((body) => body?.request));
  await slow.rpc.close();
  await quick.rpc.close();
});

test('if the manager is killed between a command and its answer, the command completes once', async () => {
  const [doomed] = managers as [ManagerProcess];
  const { rpc, open } = await slowStation('ORPHAN');
  const lost = send('ORPHAN', 'ChangeConfiguration', { key: 'HeartbeatInterval', value: '77' }).catch(
    () => 'cut',
  );
  await eventually(() => expect(open).toHaveLength(1));
  await doomed.process.kill();
  expect(await lost).toBe('cut');
  open[0]?.answer();
  const completed = await eventually(async () => {
    const { items } = (await api(1)('GET', '/commands?stationId=ORPHAN')).body as {
      items: Record<string, unknown>[];
    };
    expect(items).toMatchObject([{ status: 'answered', response: { status: 'Accepted' } }]);
    return items;
  });
  // The next one is sent, the first one not again.
  const next = send('ORPHAN', 'ClearCache', {}, 1);
  await eventually(() => expect(open).toHaveLength(2));
  open[1]?.answer();
  expect((await next).body).toMatchObject({ status: 'answered' });
  expect(open).toHaveLength(2);
  const { items } = (await api(1)('GET', '/commands?stationId=ORPHAN&action=ChangeConfiguration')).body as {
    items: unknown[];
  };
  expect(items).toEqual(completed);
  await rpc.close();
});
