import type { CallEnvelope } from '@evander/broker';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import * as tags from '../../src/authorization/tags.store.ts';
import * as desiredLocalLists from '../../src/desired-state/desired-local-lists.store.ts';
import type { DesiredList } from '../../src/desired-state/desired-local-lists.store.ts';
import * as openReconciliations from '../../src/desired-state/open-reconciliations.store.ts';
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

const CONTRACT = 'DE-8AA-CA2B3C4D5-L';
const OFFLINE = {
  ISO15118PnCEnabled: 'true',
  ContractValidationOffline: 'TRUE',
  LocalAuthorizeOffline: 'true',
};

test('only stations that look up Plug & Charge contracts get them, and expired ones are removed (PnC.15)', async () => {
  await put('A');
  await tags.put(manager.database, CONTRACT, {});
  charger.limits = { ...charger.limits, ...OFFLINE };
  await filled();
  expect(charger.idTags).toBe(`A${CONTRACT}`);
  at.pass(0);
  await tags.put(manager.database, CONTRACT, { expiryDate: new Date(at.now.getTime() + 60_000) });
  await later();
  expect(charger.idTags).toBe(`A${CONTRACT}`);
  at.pass(61);
  expect(summary(await later())).toEqual(['GetLocalListVersion', `Differential -${CONTRACT}`]);
});

test.each(Object.keys(OFFLINE))(
  'contracts are added and removed when %s of the station changes (PnC.15)',
  async (key) => {
    await put('A');
    await tags.put(manager.database, CONTRACT, {});
    charger.limits = { ...charger.limits, ...OFFLINE, [key]: 'false' };
    await filled();
    expect(charger.idTags).toBe('A');
    const change = async (value: string, status = 'Accepted') => {
      at.pass(0.01);
      await manager.command('ChangeConfiguration', { key, value }, { status });
      at.skip();
      return summary(await later());
    };
    expect(await change('true')).toEqual(['GetLocalListVersion', `Differential +${CONTRACT}`]);
    expect(await change('true')).toEqual([]);
    expect(await change('false')).toEqual(['GetLocalListVersion', `Differential -${CONTRACT}`]);
    expect(await change('true', 'RebootRequired')).toEqual([]);
    at.pass(1);
    await manager.ask('BootNotification', { chargePointVendor: 'Vendor', chargePointModel: 'Model' });
    expect(summary(await at.run(charger.answer))).toEqual([
      'GetLocalListVersion',
      `Differential +${CONTRACT}`,
    ]);
  },
);
