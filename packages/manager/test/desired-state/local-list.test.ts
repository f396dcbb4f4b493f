import type { CallEnvelope } from '@evander/broker';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import * as tags from '../../src/authorization/tags.store.ts';
import * as desiredLocalLists from '../../src/desired-state/desired-local-lists.store.ts';
import type { DesiredList } from '../../src/desired-state/desired-local-lists.store.ts';
import * as openReconciliations from '../../src/desired-state/open-reconciliations.store.ts';
import * as stationGroups from '../../src/stations/station-groups.store.ts';
import { openTestManager } from '../test-manager.ts';
import type { TestManager } from '../test-manager.ts';
import { Charger, summary } from './charger.ts';
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

async function setDesired(list: Partial<DesiredList>): Promise<void> {
  at.pass(0.01);
  const desired = { all: false, tags: [], parentIdTags: [], ...list };
  await desiredLocalLists.put(manager.database, { stationId: 'CP1' }, desired);
  const opened = { kind: 'localList' as const, requestedBy: null, at: at.now };
  await openReconciliations.ofStation(manager.database, 'CP1', opened);
}

/** Runs what managers do every two seconds, then all that follows. */
async function later(): Promise<CallEnvelope[]> {
  at.pass(2);
  await at.reconciler().reopen();
  return at.run(charger.answer);
}

async function filled(): Promise<void> {
  await setDesired({ all: true });
  await at.run(charger.answer);
  expect((await at.reconciliation('localList'))?.state).toBe('succeeded');
}

test('a long list is sent as a Full and several Differential lists with rising versions, by any manager', async () => {
  await put('ABCDEFGH');
  await setDesired({ all: true });
  expect(summary(await at.run(charger.answer))).toEqual([
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

test('changes of tags are sent together, and only to stations that they affect', async () => {
  await put('ABCD');
  await put('P', { parentIdTag: 'Family' });
  await setDesired({ tags: ['a', 'B', 'X'], parentIdTags: ['FAMILY'] });
  await at.run(charger.answer);
  expect(charger.idTags).toBe('ABP');
  await put('A', { status: 'Blocked' });
  await tags.remove(manager.database, 'B');
  await put('X');
  await put('Q', { parentIdTag: 'family' });
  await put('P', { parentIdTag: null });
  expect(summary(await later())).toEqual(['GetLocalListVersion', 'Differential -B-P+A', 'Differential +Q+X']);
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

test('a tag is removed from the list when it expires', async () => {
  await put('AB');
  at.pass(0);
  await put('C', { expiryDate: new Date(at.now.getTime() + 60_000) });
  await filled();
  expect(charger.idTags).toBe('ABC');
  await later();
  at.pass(61);
  expect(summary(await later())).toEqual(['GetLocalListVersion', 'Differential -C']);
  expect(await at.reconciliation('localList')).toMatchObject({ state: 'succeeded' });
});

test('a station that has lost its list, or has another version, gets it again', async () => {
  await put('AB');
  await filled();
  charger.version = 0;
  charger.entries.clear();
  at.pass(1);
  await manager.ask('BootNotification', { chargePointVendor: 'Vendor', chargePointModel: 'Model' });
  expect(summary(await at.run(charger.answer))).toEqual(['GetLocalListVersion', 'Full +A+B']);
  charger.version = 77;
  charger.entries.clear();
  at.pass(1);
  await manager.ask('BootNotification', { chargePointVendor: 'Vendor', chargePointModel: 'Model' });
  expect(summary(await at.run(charger.answer))).toEqual(['GetLocalListVersion', 'Full +A+B']);
  expect(charger.version).toBeGreaterThan(77);
  expect(charger.idTags).toBe('AB');
});

test('after VersionMismatch or Failed the Full list is sent', async () => {
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
    expect(summary(calls)).toEqual(['GetLocalListVersion', 'Differential +B', 'Full +A+B']);
    expect(await at.reconciliation('localList')).toMatchObject({ state: 'succeeded' });
  }
});

test('NotSupported, or version -1, ends the reconciliation until the next boot', async () => {
  await put('A');
  charger.overrides = { SendLocalList: { status: 'NotSupported' } };
  await setDesired({ all: true });
  await at.run(charger.answer);
  const failed = {
    state: 'failed',
    doing: 'the station answered that it has no local authorization list',
  };
  expect(await at.reconciliation('localList')).toMatchObject(failed);
  charger.overrides = { GetLocalListVersion: { listVersion: -1 } };
  await setDesired({ all: true });
  expect(summary(await at.run(charger.answer))).toEqual(['GetLocalListVersion']);
  expect(await at.reconciliation('localList')).toMatchObject(failed);
  charger.overrides = {};
  at.pass(1);
  await manager.ask('BootNotification', { chargePointVendor: 'Vendor', chargePointModel: 'Model' });
  expect(summary(await at.run(charger.answer))).toEqual(['GetLocalListVersion', 'Full +A']);
});

test('if not all tags fit, accepted ones are sent first, and the reconciliation names the limit', async () => {
  charger.limits = { SendLocalListMaxLength: '2', LocalAuthListMaxLength: '3' };
  await put('A', { status: 'Blocked' });
  await put('BCDE');
  await setDesired({ all: true });
  await at.run(charger.answer);
  expect(charger.idTags).toBe('BCD');
  const reconciliation = await at.reconciliation('localList');
  expect(reconciliation?.state).toBe('failed');
  expect(reconciliation?.doing).toContain(
    '5 tags are desired, but the LocalAuthListMaxLength of the station is 3',
  );
  await tags.remove(manager.database, 'C');
  await tags.remove(manager.database, 'B');
  expect(summary(await later())).toEqual(['GetLocalListVersion', 'Differential -B-C', 'Differential +A+E']);
  expect(charger.idTags).toBe('ADE');
  expect(await at.reconciliation('localList')).toMatchObject({ state: 'succeeded' });
});

test('a station that always fails is retried with pauses', async () => {
  await put('A');
  charger.overrides = { SendLocalList: { status: 'Failed' } };
  await setDesired({ all: true });
  await at.run(charger.answer);
  expect(await at.reconciliation('localList')).toMatchObject({
    state: 'open',
    doing: 'will be retried later: the answer Failed to SendLocalList',
  });
  await put('B');
  expect(await later()).toEqual([]);
  at.pass(901);
  expect(summary(await at.run(charger.answer))).toEqual(['Full +A+B']);
  charger.overrides = {};
  at.pass(901);
  expect(summary(await at.run(charger.answer))).toEqual(['Full +A+B']);
  expect(await at.reconciliation('localList')).toMatchObject({ state: 'succeeded' });
});

describe('a Failed list is retried before the pause is over', () => {
  const key = 'LocalAuthListEnabled';
  const change = (value: string) =>
    manager.command('ChangeConfiguration', { key, value }, { status: 'Accepted' });
  beforeEach(async () => {
    await put('A');
    charger.limits[key] = 'false';
    charger.overrides = { SendLocalList: { status: 'Failed' } };
    await setDesired({ all: true });
    await at.run(charger.answer);
    expect((await at.reconciliation('localList'))?.doing).toBe(
      'will be retried later: the answer Failed to SendLocalList; its LocalAuthListEnabled is false: change it to true',
    );
    await put('B');
    expect(await later()).toEqual([]);
    charger.overrides = {};
  });

  test('when the station has booted', async () => {
    at.pass(1);
    await manager.ask('BootNotification', { chargePointVendor: 'Vendor', chargePointModel: 'Model' });
    expect(summary(await at.run(charger.answer))).toEqual(['GetLocalListVersion', 'Full +A+B']);
  });

  test('when the desired list of the station or its group is set again', async () => {
    await setDesired({ tags: ['B'] });
    expect(summary(await at.run(charger.answer))).toEqual(['GetLocalListVersion', 'Full +B']);
    charger.version = 0;
    charger.overrides = { SendLocalList: { status: 'Failed' } };
    await setDesired({ all: true });
    await at.run(charger.answer);
    charger.overrides = {};
    await stationGroups.put(manager.database, 'all', { prefix: 'CP' }, at.now);
    at.pass(0.01);
    await openReconciliations.ofGroup(manager.database, 'all', {
      kind: 'localList',
      requestedBy: null,
      at: at.now,
    });
    expect(summary(await at.run(charger.answer))).toEqual(['GetLocalListVersion', 'Full +A+B']);
  });

  test('when LocalAuthListEnabled is no longer false', async () => {
    await change('false');
    at.skip();
    expect(await at.run(charger.answer)).toEqual([]);
    at.pass(1);
    await change('true');
    at.skip();
    expect(summary(await at.run(charger.answer))).toEqual(['GetLocalListVersion', 'Full +A+B']);
  });
});

test('a list that the station contradicts is sent again immediately when it is set again', async () => {
  await put('A');
  await filled();
  charger.overrides = { GetLocalListVersion: { listVersion: 500 } };
  for (const tag of 'BC') {
    await put(tag);
    await later();
  }
  expect((await at.reconciliation('localList'))?.doing).toContain(
    'will be sent again later: the version that the station reports contradicts',
  );
  await setDesired({ all: true });
  expect(summary(await at.run(charger.answer))).toEqual(['GetLocalListVersion', 'Full +A+B+C']);
});

test('a station that reboots instead of answering is not sent the list at each boot', async () => {
  await put('A');
  charger.overrides = { SendLocalList: undefined };
  await setDesired({ all: true });
  await at.run(charger.answer);
  at.pass(31);
  await manager.callMaker.sweep();
  await manager.ask('BootNotification', { chargePointVendor: 'Vendor', chargePointModel: 'Model' });
  expect(summary(await at.run(charger.answer))).toEqual([]);
});

test('a station that does not answer is retried after a pause, and asked for its version first', async () => {
  await put('A');
  charger.overrides = { SendLocalList: undefined };
  await setDesired({ all: true });
  await at.run(charger.answer);
  at.pass(31);
  await manager.callMaker.sweep();
  await at.reconciler().reconcileAll();
  expect((await at.reconciliation('localList'))?.doing).toContain(
    'will be retried later: no answer (timedOut)',
  );
  charger.overrides = {};
  at.pass(901);
  expect(summary(await at.run(charger.answer))).toEqual(['GetLocalListVersion', 'Full +A']);
});

test('a message that was lost with its connection is sent again immediately, but only once', async () => {
  await put('A');
  charger.overrides = { SendLocalList: undefined };
  await setDesired({ all: true });
  const silence = async () => {
    at.pass(31);
    await manager.callMaker.sweep();
  };
  await at.run(charger.answer);
  await at.connect();
  await silence();
  expect(summary(await at.run(charger.answer))).toEqual(['GetLocalListVersion', 'Full +A']);
  await at.connect();
  await silence();
  expect(await at.run(charger.answer)).toEqual([]);
  expect((await at.reconciliation('localList'))?.doing).toContain(
    'will be retried later: no answer (connectionLost)',
  );
});

test('a station that reconnects after not answering does not have to wait for the end of the pause', async () => {
  await put('A');
  charger.overrides = { SendLocalList: undefined };
  await setDesired({ all: true });
  await at.run(charger.answer);
  at.pass(31);
  await manager.callMaker.sweep();
  expect(await at.run(charger.answer)).toEqual([]);
  charger.overrides = {};
  await at.connect();
  expect(summary(await at.run(charger.answer))).toEqual(['GetLocalListVersion', 'Full +A']);
});

test('a station whose version contradicts the accepted list gets Full lists only with pauses', async () => {
  await put('A');
  await filled();
  charger.overrides = { GetLocalListVersion: { listVersion: 500 } };
  await put('B');
  expect(summary(await later())).toEqual(['GetLocalListVersion', 'Full +A+B']);
  await put('CD');
  expect(summary(await later())).toEqual(['GetLocalListVersion']);
  expect((await at.reconciliation('localList'))?.doing).toContain(
    'will be sent again later: the version that the station reports contradicts',
  );
  await put('E');
  expect(await later()).toEqual([]);
  at.pass(901);
  expect(summary(await at.run(charger.answer))).toEqual(['Full +A+B+C', 'Differential +D+E']);
});
