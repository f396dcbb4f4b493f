import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { addTag, openTestManager } from '../test-manager.ts';
import type { TestManager } from '../test-manager.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await openTestManager();
  await addTag(manager, 'DRIVER', { parent_id_tag: 'FLEET' });
  await addTag(manager, 'BLOCKED', { status: 'Blocked' });
  await addTag(manager, 'OLD', { expiry_date: '2020-01-01' });
});
afterAll(() => manager.close());
beforeEach(async () => {
  await manager.rows(
    'TRUNCATE reservations, configuration_keys, transactions, connectors, connector_statuses, commands',
  );
  await manager.rows('UPDATE stations SET configuration_read_at = NULL');
});

const HOUR = 3_600_000;
const inMs = (ms: number): string => new Date(Date.now() + ms).toISOString();
const request = (more: object = {}) => ({
  connectorId: 1,
  idTag: 'DRIVER',
  expiryDate: inMs(HOUR),
  ...more,
});
const reserve = (more: object = {}) => manager.command('ReserveNow', request(more), { status: 'Accepted' });
const refused = async (more: object, rule: string, says: string): Promise<void> => {
  const broken = { name: 'RuleViolation', rule, message: expect.stringContaining(says) as unknown };
  const before = manager.sent().length;
  await expect(reserve(more)).rejects.toMatchObject(broken);
  expect(manager.sent()).toHaveLength(before);
};
const report = (connectorId: number, status: string, ms = 0) =>
  manager.ask('StatusNotification', { connectorId, status, errorCode: 'NoError', timestamp: inMs(ms) });
const configure = (key: string, value: string) =>
  manager.rows(
    `INSERT INTO configuration_keys (station_id, key_lower, key, value, read_at) VALUES ('CP1', lower($1), $1, $2, now())`,
    [key, value],
  );

test.each([
  ['NOBODY', 'is not known'],
  ['BLOCKED', 'is Blocked'],
  ['OLD', 'is Expired'],
])('ReserveNow for the tag %s is not sent: it %s', async (idTag, says) => {
  await refused({ idTag }, 'ReserveNow.3', says);
});

test('ReserveNow is sent for a tag, for a tag and its group in any case, and for a group', async () => {
  await reserve();
  await reserve({ connectorId: 2, parentIdTag: 'fleet' });
  await reserve({ connectorId: 3, idTag: 'Fleet' });
  await reserve({ connectorId: 4, idTag: 'Fleet', parentIdTag: 'FLEET' });
  await refused({ connectorId: 5, parentIdTag: 'OTHERS' }, 'ReserveNow.3', 'not in the group OTHERS');
});

test.each(['Preparing', 'Charging', 'SuspendedEVSE', 'SuspendedEV', 'Finishing', 'Reserved'])(
  'ReserveNow on a connector that is %s is not sent',
  async (status) => {
    await report(1, status);
    await refused({}, 'ReserveNow.4', status);
    await reserve({ connectorId: 2 });
    await report(1, 'Available', 1000);
    await reserve();
  },
);

test.each(['Faulted', 'Unavailable'])(
  'ReserveNow on a connector, or at a station, that is %s is not sent',
  async (status) => {
    await report(1, status);
    await refused({}, 'ReserveNow.4', `connector 1 is ${status}`);
    await report(0, status);
    for (const connectorId of [0, 2])
      await refused({ connectorId }, 'ReserveNow.4', `the station is ${status}`);
  },
);

test('ReserveNow on a connector with a transaction is not sent, whatever its status says', async () => {
  const start = { connectorId: 1, idTag: 'DRIVER', meterStart: 0, timestamp: inMs(0) };
  const { response } = await manager.ask('StartTransaction', start);
  const { transactionId } = response as { transactionId: number };
  await report(1, 'Available');
  await refused({}, 'ReserveNow.4', `transaction ${transactionId} is running on connector 1`);
  await manager.ask('StopTransaction', { transactionId, meterStop: 0, timestamp: inMs(0) });
  await reserve();
});

test('ReserveNow on a reserved connector is not sent, unless it replaces that reservation', async () => {
  await reserve({ reservationId: 5000 });
  await report(1, 'Reserved', 1000);
  await refused({}, 'ReserveNow.4', 'already reserved, by reservation 5000');
  await reserve({ reservationId: 5000, expiryDate: inMs(2 * HOUR) });
  await manager.command('CancelReservation', { reservationId: 5000 }, { status: 'Accepted' });
  // Its status is still Reserved.
  manager.setNow(new Date(Date.now() + 5000));
  await manager.rows(
    "UPDATE reservations SET ended_at = now() + interval '2 seconds' WHERE state = 'cancelled'",
  );
  await reserve();
  manager.setNow(undefined);
});

test('ReserveNow on a connector whose reservation has expired is sent before the station reports the expiry', async () => {
  await reserve();
  await manager.rows("UPDATE reservations SET expiry_date = now() - interval '1 second'");
  await reserve();
});

test('only one of two concurrent ReserveNow on one connector is sent', async () => {
  const both = await Promise.allSettled([
    manager.command('ReserveNow', request()),
    manager.command('ReserveNow', request()),
  ]);
  expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
});

test('ReserveNow on an unknown connector is not sent', async () => {
  await configure('NumberOfConnectors', '2');
  await refused({ connectorId: 3 }, 'G.7', 'has 2 connectors');
});

test('there are no more reservations than free connectors', async () => {
  await configure('NumberOfConnectors', '3');
  await report(1, 'Charging');
  await reserve({ connectorId: 0 });
  await reserve({ connectorId: 2 });
  await refused({ connectorId: 3 }, 'ReserveNow.4', 'none is left');
  await refused({ connectorId: 0 }, 'ReserveNow.4', 'none is left');
  await report(1, 'Available', 1000);
  await reserve({ connectorId: 0 });
});

test('ReserveNow of connector 0 is not sent if all keys are known and none allows it', async () => {
  await manager.rows('UPDATE stations SET configuration_read_at = now()');
  await refused({ connectorId: 0 }, 'ReserveNow.2', 'ReserveConnectorZeroSupported');
  await configure('ReserveConnectorZeroSupported', 'TRUE');
  await reserve({ connectorId: 0 });
});

test('an operator can send a command that breaks a rule', async () => {
  await report(1, 'Charging');
  const commandId = await manager.callMaker.request({
    stationId: 'CP1',
    action: 'ReserveNow',
    request: request({ idTag: 'NOBODY' }),
    skipRules: true,
  });
  expect(manager.sent().at(-1)).toMatchObject({ id: commandId, action: 'ReserveNow' });
});
