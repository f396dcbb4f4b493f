import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { openTestManager } from '../test-manager.ts';
import type { TestManager } from '../test-manager.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await openTestManager();
});
afterAll(() => manager.close());
beforeEach(() => manager.rows('TRUNCATE commands, local_lists, local_list_entries, issued_ids'));

const get = (listVersion: number) => manager.command('GetLocalListVersion', {}, { listVersion });
const FULL = {
  updateType: 'Full',
  localAuthorizationList: [{ idTag: 'A', idTagInfo: { status: 'Accepted' } }],
};
const send = () => manager.command('SendLocalList', FULL, { status: 'Accepted' });
async function known() {
  const rows = await manager.rows(
    'SELECT version, needs_full_since IS NOT NULL AS "needsFull" FROM local_lists',
  );
  return rows[0];
}
const entries = async (): Promise<number> => (await manager.rows('SELECT FROM local_list_entries')).length;

test('GetLocalListVersion: -1 means no support for lists, 0 an empty list (TC_042_1, TC_042_2)', async () => {
  await get(-1);
  expect(await known()).toEqual({ version: -1, needsFull: false });
  await get(0);
  expect(await known()).toEqual({ version: 0, needsFull: false });
});

test('GetLocalListVersion: the sent version confirms the entries; another one needs a Full list', async () => {
  await send();
  await get(1);
  expect(await known()).toEqual({ version: 1, needsFull: false });
  await get(41);
  expect(await known()).toEqual({ version: 41, needsFull: true });
  expect(await entries()).toBe(1);
  expect(await send()).toMatchObject({ request: { listVersion: 42 } });
  expect(await known()).toEqual({ version: 42, needsFull: false });
});

test('GetLocalListVersion: a station that has lost its list needs a Full one', async () => {
  await send();
  await get(0);
  expect(await known()).toEqual({ version: 0, needsFull: true });
  expect(await entries()).toBe(0);
});

test('GetLocalListVersion: a late answer does not affect a list that was accepted since', async () => {
  await manager.command('GetLocalListVersion', {});
  const late = manager.sent().at(-1);
  await manager.rows("UPDATE commands SET status = 'timedOut'");
  manager.setNow(new Date(Date.now() + 5000));
  await send();
  manager.setNow(undefined);
  if (late) await manager.answer(late, { listVersion: 0 });
  expect(await known()).toEqual({ version: 1, needsFull: false });
  expect(await entries()).toBe(1);
});

test('GetLocalListVersion: a list whose answer arrives after its version is recorded', async () => {
  await manager.command('SendLocalList', FULL);
  const late = manager.sent().at(-1);
  await manager.rows("UPDATE commands SET status = 'timedOut'");
  manager.setNow(new Date(Date.now() + 5000));
  await get(1);
  manager.setNow(undefined);
  expect(await known()).toEqual({ version: 1, needsFull: true });
  if (late) await manager.answer(late, { status: 'Accepted' });
  expect(await entries()).toBe(1);
});
