import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Gateway } from '@evander/gateway';
import type { Manager } from '@evander/manager';
import type { RPCClient } from 'ocpp-rpc';
import { DatabaseProxy } from '../../../../test/database-proxy.ts';
import { apiOf, eventually, startServices } from './fixture.ts';
import type { Services } from './fixture.ts';
import { foreignStation } from './foreign-station.ts';

let services: Services;
let proxy: DatabaseProxy;
let gateway: Gateway;
let manager: Manager;
beforeAll(async () => {
  services = await startServices();
  proxy = await DatabaseProxy.open(services.databaseUrl);
  manager = await services.startManager({ databaseUrl: proxy.url });
  gateway = await services.startGateway([manager]);
}, 60_000);
const clients: RPCClient[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close({ force: true });
});
afterAll(async () => {
  await services.close();
  await proxy.close();
}, 60_000);

interface Line {
  client: RPCClient;
  /** The actions of the received calls. */
  calls: string[];
  /** Answers the last call. */
  answer(response: object): void;
}

/** A station that answers when the test decides. */
async function connect(stationId: string): Promise<Line> {
  const client = foreignStation(gateway, stationId);
  clients.push(client);
  const line: Line = { client, calls: [], answer: () => {} };
  client.handle(({ method }) => {
    line.calls.push(String(method));
    return new Promise((resolve) => (line.answer = resolve));
  });
  await client.connect();
  // While the database is away it must wait.
  client.call('BootNotification', { chargePointVendor: 'V', chargePointModel: 'M' }).catch(() => {});
  return line;
}

/** Waits until a station has received a call of this action. */
async function received(line: Line, action: string): Promise<void> {
  await eventually(() => {
    if (!line.calls.includes(action)) throw new Error(`no ${action} has arrived`);
  });
}

async function reset(stationId: string): Promise<string> {
  const { body } = await eventually(async () => {
    const answer = await apiOf(manager.apiUrl)(
      'POST',
      `/stations/${stationId}/commands/Reset?waitSeconds=0`,
      {
        type: 'Hard',
      },
    );
    expect(answer.status).toBe(202);
    return answer;
  });
  return String(body?.commandId);
}

/** The statuses with which a command completed, in order. */
async function outcomes(commandId: string): Promise<unknown[]> {
  const rows = await services.rows(
    "SELECT data ->> 'status' AS status FROM events WHERE data ->> 'commandId' = $1 ORDER BY id",
    [commandId],
  );
  if (rows.length === 0) throw new Error('the command is not completed');
  return rows.map(({ status }) => status);
}

test.each([
  ['answers', 'answered'],
  ['does not answer', 'connectionLost'],
])(
  'the database fails, the station %s, disconnects and reconnects, the database returns: the Reset was sent once',
  async (_name, status) => {
    const stationId = `once-${status}`;
    const before = await connect(stationId);
    const commandId = await reset(stationId);
    await received(before, 'Reset');
    proxy.refuse();
    if (status === 'answered') before.answer({ status: 'Accepted' });
    await before.client.close({ force: status !== 'answered' });
    const after = await connect(stationId);
    proxy.pass();
    await patiently(async () => expect(await outcomes(commandId)).toContain(status));
    // Anything sent now comes after everything that was lost.
    await eventually(async () => {
      const path = `/stations/${stationId}/commands/ClearCache?waitSeconds=0`;
      expect((await apiOf(manager.apiUrl)('POST', path, {})).status).toBe(202);
    });
    await patiently(() => received(after, 'ClearCache'));
    expect(after.calls).not.toContain('Reset');
  },
  120_000,
);

test('an answer that arrives while all managers are away counts when one is back, even after the answer timeout', async () => {
  const station = await connect('away');
  const commandId = await reset('away');
  await received(station, 'Reset');
  await manager.close();
  station.answer({ status: 'Accepted' });
  await station.client.close({});
  // The manager waits 6 s for an answer.
  await services.rows(
    "UPDATE commands SET sent_at = sent_at - interval '5 minutes' WHERE command_id = $1::uuid",
    [commandId],
  );
  manager = await services.startManager();
  expect(await patiently(() => outcomes(commandId))).toEqual(['answered']);
}, 120_000);

async function patiently<T>(check: () => Promise<T>): Promise<T> {
  for (let i = 0; i < 5; i++) {
    try {
      return await eventually(check);
    } catch {
      // On a busy machine reconnecting to the database takes longer.
    }
  }
  return eventually(check);
}
