import type { CallEnvelope } from '@evander/broker';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import * as tags from '../../src/authorization/tags.store.ts';
import * as desiredLocalLists from '../../src/desired-state/desired-local-lists.store.ts';
import type { DesiredList } from '../../src/desired-state/desired-local-lists.store.ts';
import * as openGoals from '../../src/desired-state/open-reconciliations.store.ts';
import { openDesk } from '../desk.ts';
import type { Desk } from '../desk.ts';
import { Charger, told } from './charger.ts';
import { GoalDesk } from './goal-desk.ts';

let desk: Desk;
let at: GoalDesk;
let charger: Charger;
beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk.close());
beforeEach(async () => {
  desk.setNow(undefined);
  await desk.rows(
    `TRUNCATE goals, commands, configuration_keys, desired_local_lists, local_lists, local_list_entries, issued_ids, tags, tag_changes,
       station_groups CASCADE`,
  );
  await desk.rows('UPDATE stations SET configuration_read_at = NULL, booted_at = now()');
  at = new GoalDesk(desk);
  at.skip();
  charger = new Charger();
});

async function put(idTags: string, change: tags.TagChange = {}): Promise<void> {
  for (const idTag of idTags) await tags.put(desk.database, idTag, change);
}

async function want(list: Partial<DesiredList>): Promise<void> {
  at.pass(0.01);
  const wanted = { all: false, tags: [], parentIdTags: [], ...list };
  await desiredLocalLists.put(desk.database, { stationId: 'CP1' }, wanted);
  const opened = { kind: 'localList' as const, requestedBy: null, at: at.now };
  await openGoals.ofStation(desk.database, 'CP1', opened);
}

/** What managers do every other second, and then all the rest. */
async function later(): Promise<CallEnvelope[]> {
  at.pass(2);
  await at.pursuit().reopen();
  return at.run(charger.answer);
}

async function filled(): Promise<void> {
  await want({ all: true });
  await at.run(charger.answer);
  expect((await at.goal('localList'))?.state).toBe('reached');
}

const CONTRACT = 'DE-8AA-CA2B3C4D5-L';
const OFFLINE = {
  ISO15118PnCEnabled: 'true',
  ContractValidationOffline: 'TRUE',
  LocalAuthorizeOffline: 'true',
};

test('contracts of Plug & Charge are for stations alone that look for them, and go when they expire (PnC.15)', async () => {
  await put('A');
  await tags.put(desk.database, CONTRACT, {});
  charger.limits = { ...charger.limits, ...OFFLINE };
  await filled();
  expect(charger.idTags).toBe(`A${CONTRACT}`);
  at.pass(0);
  await tags.put(desk.database, CONTRACT, { expiryDate: new Date(at.now.getTime() + 60_000) });
  await later();
  expect(charger.idTags).toBe(`A${CONTRACT}`);
  at.pass(61);
  expect(told(await later())).toEqual(['GetLocalListVersion', `Differential -${CONTRACT}`]);
});

test.each(Object.keys(OFFLINE))('contracts come and go with %s of the station (PnC.15)', async (key) => {
  await put('A');
  await tags.put(desk.database, CONTRACT, {});
  charger.limits = { ...charger.limits, ...OFFLINE, [key]: 'false' };
  await filled();
  expect(charger.idTags).toBe('A');
  const change = async (value: string, status = 'Accepted') => {
    at.pass(0.01);
    await desk.command('ChangeConfiguration', { key, value }, { status });
    at.skip();
    return told(await later());
  };
  expect(await change('true')).toEqual(['GetLocalListVersion', `Differential +${CONTRACT}`]);
  expect(await change('true')).toEqual([]);
  expect(await change('false')).toEqual(['GetLocalListVersion', `Differential -${CONTRACT}`]);
  expect(await change('true', 'RebootRequired')).toEqual([]);
  at.pass(1);
  await desk.ask('BootNotification', { chargePointVendor: 'Vendor', chargePointModel: 'Model' });
  expect(told(await at.run(charger.answer))).toEqual(['GetLocalListVersion', `Differential +${CONTRACT}`]);
});
