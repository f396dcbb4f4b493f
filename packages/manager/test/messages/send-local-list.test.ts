import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { openTestManager } from '../test-manager.ts';
import type { TestManager } from '../test-manager.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await openTestManager();
});
afterAll(() => manager.close());
beforeEach(() =>
  manager.rows('TRUNCATE commands, local_lists, local_list_entries, issued_ids, configuration_keys'),
);

type UpdateType = 'Full' | 'Differential';
const entry = (idTag: string, status = 'Accepted') => ({ idTag, idTagInfo: { status } });
const list = (updateType: UpdateType, entries: object[], fields: object = {}) => ({
  updateType,
  localAuthorizationList: entries,
  ...fields,
});
const send = (request: object, status = 'Accepted') => manager.command('SendLocalList', request, { status });

/** Sends a list without an answer yet; returns its call. */
async function unanswered(request: object) {
  await manager.command('SendLocalList', request);
  await manager.rows("UPDATE commands SET status = 'timedOut' WHERE status = 'sent'");
  const call = manager.sent().at(-1);
  if (!call) throw new Error('nothing was sent');
  return call;
}

async function later<T>(work: () => Promise<T>): Promise<T> {
  manager.setNow(new Date(Date.now() + 5000));
  const result = await work();
  manager.setNow(undefined);
  return result;
}

const entries = async (): Promise<string[]> =>
  (
    await manager.rows(
      "SELECT id_tag, id_tag_info ->> 'status' AS status FROM local_list_entries ORDER BY id_tag_key",
    )
  ).map(({ id_tag: idTag, status }) => `${String(idTag)} ${String(status)}`);
async function known() {
  const rows = await manager.rows(
    `SELECT version, last_status AS status, needs_full_since IS NOT NULL AS "needsFull" FROM local_lists`,
  );
  return rows[0];
}

const conflict = () =>
  manager.ask('StatusNotification', { connectorId: 0, status: 'Available', errorCode: 'LocalListConflict' });

test('SendLocalList: a Full list replaces, a Differential one merges, each with the next version', async () => {
  await send(list('Full', [entry('A'), entry('B'), entry('c')]));
  expect(await entries()).toEqual(['A Accepted', 'B Accepted', 'c Accepted']);
  await send(list('Differential', [{ idTag: 'a' }, entry('b', 'Blocked'), entry('D')]));
  expect(await entries()).toEqual(['b Blocked', 'c Accepted', 'D Accepted']);
  expect(await known()).toEqual({ version: 2, status: 'Accepted', needsFull: false });
  await send(list('Differential', []));
  await send(list('Full', [entry('E')]));
  expect(await entries()).toEqual(['E Accepted']);
  await send({ updateType: 'Full' });
  expect(await entries()).toEqual([]);
  expect(await known()).toEqual({ version: 5, status: 'Accepted', needsFull: false });
});

test('SendLocalList.4: after a failed Differential list a Full one is needed; nothing changes until it is accepted', async () => {
  await send(list('Full', [entry('A')]));
  await send(list('Differential', [entry('B')]), 'VersionMismatch');
  expect(await known()).toEqual({ version: 1, status: 'VersionMismatch', needsFull: true });
  await send(list('Full', [entry('C')]), 'Failed');
  expect(await known()).toEqual({ version: 1, status: 'Failed', needsFull: true });
  expect(await entries()).toEqual(['A Accepted']);
  await send(list('Full', [entry('C')]));
  expect(await known()).toEqual({ version: 4, status: 'Accepted', needsFull: false });
  await send(list('Differential', [entry('D')]), 'Failed');
  expect(await known()).toMatchObject({ needsFull: true });
  await manager.command('SendLocalList', list('Differential', [entry('D')]), { error: 'InternalError' });
  expect(await entries()).toEqual(['C Accepted']);
});

test('SendLocalList: NotSupported means that the station does not support lists (TC_043_1)', async () => {
  await send(list('Full', [entry('A')]));
  await send(list('Full', [entry('B')]), 'NotSupported');
  expect(await known()).toEqual({ version: -1, status: 'NotSupported', needsFull: false });
  expect(await entries()).toEqual([]);
});

test('SendLocalList: after a Differential list on an unknown list a Full one is needed', async () => {
  await send(list('Differential', [entry('A')]));
  expect(await known()).toEqual({ version: 1, status: 'Accepted', needsFull: true });
});

test('Status.8: after a LocalListConflict a Full list is needed, unless one was sent since', async () => {
  await send(list('Full', [entry('A')]));
  await manager.ask(
    'StatusNotification',
    { connectorId: 0, status: 'Available', errorCode: 'LocalListConflict' },
    { receivedAt: '2020-01-01T00:00:00.000Z' },
  );
  await manager.ask('StatusNotification', { connectorId: 0, status: 'Available', errorCode: 'OtherError' });
  await manager.ask('StatusNotification', {
    connectorId: 1,
    status: 'Available',
    errorCode: 'LocalListConflict',
  });
  expect(await known()).toMatchObject({ needsFull: false });
  const full = await unanswered(list('Full', [entry('A')]));
  await later(conflict);
  expect(await known()).toMatchObject({ needsFull: true });
  await manager.answer(full, { status: 'Accepted' });
  // The conflict occurred after that list had been sent.
  expect(await known()).toMatchObject({ needsFull: true });
  manager.setNow(new Date(Date.now() + 10_000));
  await send(list('Full', [entry('A')]));
  manager.setNow(undefined);
  expect(await known()).toMatchObject({ needsFull: false });
});

test('Status.8: a station that never received a list can report a conflict too', async () => {
  expect(await conflict()).toEqual({ response: {} });
  expect(await known()).toEqual({ version: null, status: null, needsFull: true });
});

test('SendLocalList: a late answer to a list before a newer Full one changes nothing', async () => {
  const late = await unanswered(list('Full', [entry('OLD')]));
  await later(() => send(list('Full', [entry('NEW')])));
  await manager.answer(late, { status: 'Accepted' });
  expect(await entries()).toEqual(['NEW Accepted']);
  expect(await known()).toEqual({ version: 2, status: 'Accepted', needsFull: false });
});

test('SendLocalList: after a late answer to a list before a newer Differential one a Full one is needed', async () => {
  await send(list('Full', [entry('A')]));
  const late = await unanswered(list('Differential', [entry('B')]));
  await later(() => send(list('Differential', [entry('C')])));
  await manager.answer(late, { status: 'Accepted' });
  expect(await known()).toEqual({ version: 3, status: 'Accepted', needsFull: true });
});

test.each([
  ['SendLocalList.1', list('Full', [entry('A'), { idTag: 'B' }])],
  ['SendLocalList.2', list('Full', [entry('A'), entry('a')])],
  ['SendLocalList.2', list('Differential', [entry('A'), { idTag: 'a' }])],
  [
    'SendLocalList.2',
    list(
      'Full',
      ['A', 'B', 'C', 'D'].map((idTag) => entry(idTag)),
    ),
  ],
  [
    'SendLocalList.2',
    list(
      'Differential',
      ['B', 'C', 'D'].map((idTag) => entry(idTag)),
    ),
  ],
  ['SendLocalList.3', list('Full', [], { listVersion: 0 })],
  ['SendLocalList.3', list('Full', [], { listVersion: -1 })],
  ['SendLocalList.3', list('Differential', [], { listVersion: 7 })],
])('SendLocalList that breaks the rule %s is not sent: %j', async (rule, request) => {
  await send(list('Full', [entry('A'), entry('X')], { listVersion: 7 }));
  await manager.rows(
    `INSERT INTO configuration_keys (station_id, key_lower, key, value, read_at) VALUES
     ('CP1', 'sendlocallistmaxlength', 'SendLocalListMaxLength', '3', now()),
     ('CP1', 'localauthlistmaxlength', 'LocalAuthListMaxLength', '4', now())`,
  );
  await expect(send(request)).rejects.toMatchObject({ name: 'RuleViolation', rule });
  // Changing and removing entries needs no additional room.
  await send(list('Differential', [{ idTag: 'a' }, entry('x'), entry('Y')]));
  expect(await known()).toMatchObject({ version: 8 });
});

test('SendLocalList: five thousand entries', async () => {
  const many = Array.from({ length: 5000 }, (_, i) => entry(`TAG${i}`));
  await send(list('Full', many));
  expect(await entries()).toHaveLength(5000);
  await send(
    list(
      'Differential',
      many.map(({ idTag }) => ({ idTag })),
    ),
  );
  expect(await entries()).toHaveLength(0);
});
