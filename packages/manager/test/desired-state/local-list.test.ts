import type { CallEnvelope } from '@evander/broker';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import * as tags from '../../src/authorization/tags.store.ts';
import * as desiredLocalLists from '../../src/desired-state/desired-local-lists.store.ts';
import type { DesiredList } from '../../src/desired-state/desired-local-lists.store.ts';
import * as openReconciliations from '../../src/desired-state/open-reconciliations.store.ts';
import * as stationGroups from '../../src/stations/station-groups.store.ts';
import { openTestManager } from '../test-manager.ts';
import type { TestManager } from '../test-manager.ts';
import { Charger, told } from './charger.ts';
import { ReconcilerHarness } from './reconciler-harness.ts';

let manager: TestManager;
let at: ReconcilerHarness;
let charger: Charger;
beforeAll(async () => {
  manager = await openTestManager();
});
afterAll(() => manager.close());
beforeEach(async () => {
  manager.setNow(undefined);
  await manager.rows(
    `TRUNCATE reconciliations, commands, configuration_keys, desired_local_lists, local_lists, local_list_entries, issued_ids, tags, tag_changes,
       station_groups CASCADE`,
  );
  await manager.rows('UPDATE stations SET configuration_read_at = NULL, booted_at = now()');
  await manager.rows(
    `UPDATE connections SET disconnected_at = NULL, connected_at = now() - interval '1 day'`,
  );
  at = new ReconcilerHarness(manager);
  at.skip();
  charger = new Charger();
});

async function put(idTags: string, change: tags.TagChange = {}): Promise<void> {
  for (const idTag of idTags) await tags.put(manager.database, idTag, change);
}

async function want(list: Partial<DesiredList>): Promise<void> {
  at.pass(0.01);
  const desired = { all: false, tags: [], parentIdTags: [], ...list };
  await desiredLocalLists.put(manager.database, { stationId: 'CP1' }, desired);
  const opened = { kind: 'localList' as const, requestedBy: null, at: at.now };
  await openReconciliations.ofStation(manager.database, 'CP1', opened);
}

/** What managers do every other second, and then all the rest. */
async function later(): Promise<CallEnvelope[]> {
  at.pass(2);
  await at.reconciler().reopen();
  return at.run(charger.answer);
}

async function filled(): Promise<void> {
  await want({ all: true });
  await at.run(charger.answer);
  expect((await at.reconciliation('localList'))?.state).toBe('succeeded');
}

test('a long list is a Full one and Differential ones with rising versions, whoever of the managers goes on', async () => {
  await put('ABCDEFGH');
  await want({ all: true });
  expect(told(await at.run(charger.answer))).toEqual([
    'GetConfiguration',
    'GetLocalListVersion',
    'Full +A+B+C',
    'Differential +D+E+F',
    'Differential +G+H',
  ]);
  expect(charger.versions).toEqual([...charger.versions].sort((left, right) => left - right));
  expect(new Set(charger.versions).size).toBe(3);
  expect(charger.idTags).toBe('ABCDEFGH');
  expect(await at.reconciliation('localList')).toMatchObject({ state: 'succeeded' });
});

test('what changes of tags is sent together, and only when it matters to the station', async () => {
  await put('ABCD');
  await put('P', { parentIdTag: 'Family' });
  await want({ tags: ['a', 'B', 'X'], parentIdTags: ['FAMILY'] });
  await at.run(charger.answer);
  expect(charger.idTags).toBe('ABP');
  await put('A', { status: 'Blocked' });
  await tags.remove(manager.database, 'B');
  await put('X');
  await put('Q', { parentIdTag: 'family' });
  await put('P', { parentIdTag: null });
  expect(told(await later())).toEqual(['GetLocalListVersion', 'Differential -B-P+A', 'Differential +Q+X']);
  expect([...charger.entries]).toEqual([
    ['A', 'Blocked'],
    ['Q', 'Accepted'],
    ['X', 'Accepted'],
  ]);
  await put('CD', { status: 'Blocked' });
  await put('A', { note: 'of no matter to a station' });
  expect(await later()).toEqual([]);
  expect(await manager.rows('SELECT FROM tag_changes')).toEqual([]);
});

test('a tag goes from the list when it expires', async () => {
  await put('AB');
  at.pass(0);
  await put('C', { expiryDate: new Date(at.now.getTime() + 60_000) });
  await filled();
  expect(charger.idTags).toBe('ABC');
  await later();
  at.pass(61);
  expect(told(await later())).toEqual(['GetLocalListVersion', 'Differential -C']);
  expect(await at.reconciliation('localList')).toMatchObject({ state: 'succeeded' });
});

test('a station that has lost its list gets it again, one that has another version too', async () => {
  await put('AB');
  await filled();
  charger.version = 0;
  charger.entries.clear();
  at.pass(1);
  await manager.ask('BootNotification', { chargePointVendor: 'Vendor', chargePointModel: 'Model' });
  expect(told(await at.run(charger.answer))).toEqual(['GetLocalListVersion', 'Full +A+B']);
  charger.version = 77;
  charger.entries.clear();
  at.pass(1);
  await manager.ask('BootNotification', { chargePointVendor: 'Vendor', chargePointModel: 'Model' });
  expect(told(await at.run(charger.answer))).toEqual(['GetLocalListVersion', 'Full +A+B']);
  expect(charger.version).toBeGreaterThan(77);
  expect(charger.idTags).toBe('AB');
});

test('VersionMismatch and Failed are answered with the Full list', async () => {
  await put('A');
  await filled();
  for (const status of ['VersionMismatch', 'Failed']) {
    await put('B', { status: status === 'Failed' ? 'Blocked' : 'Accepted' });
    let first = true;
    at.pass(2);
    await at.reconciler().reopen();
    const calls = await at.run((call) => {
      const isFirst = call.action === 'SendLocalList' && first;
      if (isFirst) first = false;
      return isFirst ? { status } : charger.answer(call);
    });
    expect(told(calls)).toEqual(['GetLocalListVersion', 'Differential +B', 'Full +A+B']);
    expect(await at.reconciliation('localList')).toMatchObject({ state: 'succeeded' });
  }
});

test('NotSupported, and version -1, end it until the next boot', async () => {
  await put('A');
  charger.odd = { SendLocalList: { status: 'NotSupported' } };
  await want({ all: true });
  await at.run(charger.answer);
  const failed = {
    state: 'failed',
    doing: 'the station has no local authorization list: it answered so',
  };
  expect(await at.reconciliation('localList')).toMatchObject(failed);
  charger.odd = { GetLocalListVersion: { listVersion: -1 } };
  await want({ all: true });
  expect(told(await at.run(charger.answer))).toEqual(['GetLocalListVersion']);
  expect(await at.reconciliation('localList')).toMatchObject(failed);
  charger.odd = {};
  at.pass(1);
  await manager.ask('BootNotification', { chargePointVendor: 'Vendor', chargePointModel: 'Model' });
  expect(told(await at.run(charger.answer))).toEqual(['GetLocalListVersion', 'Full +A']);
});

test('more tags than fit: the rest is right, accepted ones first, and the reconciliation names the limit', async () => {
  charger.limits = { SendLocalListMaxLength: '2', LocalAuthListMaxLength: '3' };
  await put('A', { status: 'Blocked' });
  await put('BCDE');
  await want({ all: true });
  await at.run(charger.answer);
  expect(charger.idTags).toBe('BCD');
  const reconciliation = await at.reconciliation('localList');
  expect(reconciliation?.state).toBe('failed');
  expect(reconciliation?.doing).toContain(
    '5 tags are desired, and the LocalAuthListMaxLength of the station is 3',
  );
  await tags.remove(manager.database, 'C');
  await tags.remove(manager.database, 'B');
  expect(told(await later())).toEqual(['GetLocalListVersion', 'Differential -B-C', 'Differential +A+E']);
  expect(charger.idTags).toBe('ADE');
  expect(await at.reconciliation('localList')).toMatchObject({ state: 'succeeded' });
});

test('whoever fails forever is tried again with a pause', async () => {
  await put('A');
  charger.odd = { SendLocalList: { status: 'Failed' } };
  await want({ all: true });
  await at.run(charger.answer);
  expect(await at.reconciliation('localList')).toMatchObject({
    state: 'open',
    doing: 'tried again later: the answer Failed to SendLocalList',
  });
  await put('B');
  expect(await later()).toEqual([]);
  at.pass(901);
  expect(told(await at.run(charger.answer))).toEqual(['Full +A+B']);
  charger.odd = {};
  at.pass(901);
  expect(told(await at.run(charger.answer))).toEqual(['Full +A+B']);
  expect(await at.reconciliation('localList')).toMatchObject({ state: 'succeeded' });
});

describe('a list that Failed is tried again before the pause is over', () => {
  const key = 'LocalAuthListEnabled';
  const change = (value: string) =>
    manager.command('ChangeConfiguration', { key, value }, { status: 'Accepted' });
  beforeEach(async () => {
    await put('A');
    charger.limits[key] = 'false';
    charger.odd = { SendLocalList: { status: 'Failed' } };
    await want({ all: true });
    await at.run(charger.answer);
    expect((await at.reconciliation('localList'))?.doing).toBe(
      'tried again later: the answer Failed to SendLocalList; its LocalAuthListEnabled is false: change it to true',
    );
    await put('B');
    expect(await later()).toEqual([]);
    charger.odd = {};
  });

  test('when the station has booted', async () => {
    at.pass(1);
    await manager.ask('BootNotification', { chargePointVendor: 'Vendor', chargePointModel: 'Model' });
    expect(told(await at.run(charger.answer))).toEqual(['GetLocalListVersion', 'Full +A+B']);
  });

  test('when somebody says again what is desired, of the station or of its group', async () => {
    await want({ tags: ['B'] });
    expect(told(await at.run(charger.answer))).toEqual(['GetLocalListVersion', 'Full +B']);
    charger.version = 0;
    charger.odd = { SendLocalList: { status: 'Failed' } };
    await want({ all: true });
    await at.run(charger.answer);
    charger.odd = {};
    await stationGroups.put(manager.database, 'all', { prefix: 'CP' }, at.now);
    at.pass(0.01);
    await openReconciliations.ofGroup(manager.database, 'all', {
      kind: 'localList',
      requestedBy: null,
      at: at.now,
    });
    expect(told(await at.run(charger.answer))).toEqual(['GetLocalListVersion', 'Full +A+B']);
  });

  test('when LocalAuthListEnabled is no longer false', async () => {
    await change('false');
    at.skip();
    expect(await at.run(charger.answer)).toEqual([]);
    at.pass(1);
    await change('true');
    at.skip();
    expect(told(await at.run(charger.answer))).toEqual(['GetLocalListVersion', 'Full +A+B']);
  });
});

test('a list that the station contradicts is sent again at once when it is desired again', async () => {
  await put('A');
  await filled();
  charger.odd = { GetLocalListVersion: { listVersion: 500 } };
  for (const tag of 'BC') {
    await put(tag);
    await later();
  }
  expect((await at.reconciliation('localList'))?.doing).toContain(
    'sent again later: the station contradicts',
  );
  await want({ all: true });
  expect(told(await at.run(charger.answer))).toEqual(['GetLocalListVersion', 'Full +A+B+C']);
});

test('whoever does not answer and boots is not sent the same at each boot', async () => {
  await put('A');
  charger.odd = { SendLocalList: undefined };
  await want({ all: true });
  await at.run(charger.answer);
  at.pass(31);
  await manager.callMaker.sweep();
  await manager.ask('BootNotification', { chargePointVendor: 'Vendor', chargePointModel: 'Model' });
  expect(told(await at.run(charger.answer))).toEqual([]);
});

test('whoever does not answer is tried again with a pause, and asked first what it has', async () => {
  await put('A');
  charger.odd = { SendLocalList: undefined };
  await want({ all: true });
  await at.run(charger.answer);
  at.pass(31);
  await manager.callMaker.sweep();
  await at.reconciler().sweep();
  expect((await at.reconciliation('localList'))?.doing).toContain('tried again later: no answer (timedOut)');
  charger.odd = {};
  at.pass(901);
  expect(told(await at.run(charger.answer))).toEqual(['GetLocalListVersion', 'Full +A']);
});

test('what was lost with a connection is sent again at once, but not again and again', async () => {
  await put('A');
  charger.odd = { SendLocalList: undefined };
  await want({ all: true });
  const silence = async () => {
    at.pass(31);
    await manager.callMaker.sweep();
  };
  await at.run(charger.answer);
  await at.connect();
  await silence();
  expect(told(await at.run(charger.answer))).toEqual(['GetLocalListVersion', 'Full +A']);
  await at.connect();
  await silence();
  expect(await at.run(charger.answer)).toEqual([]);
  expect((await at.reconciliation('localList'))?.doing).toContain(
    'tried again later: no answer (connectionLost)',
  );
});

test('whoever connects after a silence is not left waiting for the end of the pause', async () => {
  await put('A');
  charger.odd = { SendLocalList: undefined };
  await want({ all: true });
  await at.run(charger.answer);
  at.pass(31);
  await manager.callMaker.sweep();
  expect(await at.run(charger.answer)).toEqual([]);
  charger.odd = {};
  await at.connect();
  expect(told(await at.run(charger.answer))).toEqual(['GetLocalListVersion', 'Full +A']);
});

test('whoever tells a version that contradicts what it has accepted gets Full lists with pauses only', async () => {
  await put('A');
  await filled();
  charger.odd = { GetLocalListVersion: { listVersion: 500 } };
  await put('B');
  expect(told(await later())).toEqual(['GetLocalListVersion', 'Full +A+B']);
  await put('CD');
  expect(told(await later())).toEqual(['GetLocalListVersion']);
  expect((await at.reconciliation('localList'))?.doing).toContain(
    'sent again later: the station contradicts the list that it has accepted',
  );
  await put('E');
  expect(await later()).toEqual([]);
  at.pass(901);
  expect(told(await at.run(charger.answer))).toEqual(['Full +A+B+C', 'Differential +D+E']);
});
