import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { openTestManager } from '../test-manager.ts';
import type { TestManager } from '../test-manager.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await openTestManager();
});
afterAll(() => manager.close());

const at = (hour: number): Date => new Date(Date.UTC(2026, 10, 20, hour));

beforeEach(async () => {
  await manager.rows('TRUNCATE commands, charging_profiles');
  const rows = [
    [1, 0, 'ChargePointMaxProfile', 0],
    [2, 1, 'TxDefaultProfile', 0],
    [3, 1, 'TxDefaultProfile', 1],
    [4, 1, 'TxProfile', 1],
    [5, 2, 'TxDefaultProfile', 1],
  ];
  for (const row of rows)
    await manager.rows(
      `INSERT INTO charging_profiles (station_id, charging_profile_id, connector_id, purpose, stack_level, profile, set_at)
       VALUES ('CP1', $1, $2, $3, $4, '{}', now() - interval '1 minute')`,
      row,
    );
});
afterAll(() => manager.setNow(undefined));

const clear = (request: object, answer: object = { status: 'Accepted' }) =>
  manager.command('ClearChargingProfile', request, answer);
const kept = async (): Promise<unknown[]> =>
  (await manager.rows('SELECT charging_profile_id AS id FROM charging_profiles ORDER BY id')).map(
    ({ id }) => id,
  );

test.each([
  [{}, []],
  [{ id: 1 }, [2, 3, 4, 5]],
  [{ id: 99 }, [1, 2, 3, 4, 5]],
  [{ connectorId: 0 }, [2, 3, 4, 5]],
  [{ connectorId: 1 }, [1, 5]],
  [{ chargingProfilePurpose: 'TxDefaultProfile' }, [1, 4]],
  [{ stackLevel: 1 }, [1, 2]],
  [{ connectorId: 1, chargingProfilePurpose: 'TxDefaultProfile', stackLevel: 1 }, [1, 2, 4, 5]],
])('ClearChargingProfile with %j leaves %j', async (filter, left) => {
  await clear(filter);
  expect(await kept()).toEqual(left);
  expect(manager.sent().at(-1)?.request).toEqual(filter);
});

test('ClearProfile.3: Unknown means that the station has no such profiles; an error changes nothing', async () => {
  await clear({ id: 3 }, { error: 'NotSupported' });
  await clear({ id: 3 }, { status: 'Perhaps' });
  expect(await kept()).toEqual([1, 2, 3, 4, 5]);
  await clear({ connectorId: 1 }, { status: 'Unknown' });
  expect(await kept()).toEqual([1, 5]);
});

test('ClearChargingProfile: profiles set after it was sent stay, however late its answer', async () => {
  await manager.command('ClearChargingProfile', {});
  const call = manager.sent().at(-1);
  await manager.rows('UPDATE charging_profiles SET set_at = $1 WHERE charging_profile_id = 2', [at(10_000)]);
  if (call) await manager.answer(call, { status: 'Accepted' });
  expect(await kept()).toEqual([2]);
});

test.each([
  ['ClearProfile.1', { id: 1, connectorId: 1 }],
  ['ClearProfile.1', { id: 1, stackLevel: 0 }],
  ['ClearProfile.1', { id: 1, chargingProfilePurpose: 'TxProfile' }],
  ['ClearProfile.2', { connectorId: -1 }],
])('ClearChargingProfile that breaks the rule %s is not sent: %j', async (rule, request) => {
  await expect(clear(request)).rejects.toMatchObject({ name: 'RuleViolation', rule });
  expect(await kept()).toHaveLength(5);
});

test('ClearChargingProfile: another station keeps its profiles', async () => {
  await manager.rows("UPDATE charging_profiles SET station_id = 'CP2'");
  await clear({});
  expect(await kept()).toHaveLength(5);
});
