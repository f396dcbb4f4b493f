import type { CallEnvelope } from '@evander/broker';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import * as desired from '../../src/desired-state/desired-configuration.store.ts';
import * as openReconciliations from '../../src/desired-state/open-reconciliations.store.ts';
import { openTestManager } from '../test-manager.ts';
import type { StationAnswer, TestManager } from '../test-manager.ts';
import { ReconcilerHarness } from './reconciler-harness.ts';

let manager: TestManager;
let at: ReconcilerHarness;
beforeAll(async () => {
  manager = await openTestManager();
});
afterAll(() => manager.close());
beforeEach(async () => {
  manager.setNow(undefined);
  await manager.rows(
    'TRUNCATE reconciliations, commands, configuration_keys, desired_values, configuration_outcomes, station_groups, transactions CASCADE',
  );
  await manager.rows(
    'UPDATE stations SET configuration_read_at = NULL, configuration_asked_at = NULL, configuration_reset = NULL, booted_at = now()',
  );
  await manager.rows(
    `UPDATE connections SET disconnected_at = NULL, connected_at = now() - interval '1 day'`,
  );
  at = new ReconcilerHarness(manager);
  at.skip();
});

/** A station with some keys, and its answers to changes, if other than Accepted. */
class Charger {
  readonly keys: Record<string, string>;
  readonly overrides: Record<string, StationAnswer | undefined> = {};
  readonly readonly: string[] = [];

  constructor(keys: Record<string, string>) {
    this.keys = keys;
  }

  readonly answer = ({ action, request }: CallEnvelope): StationAnswer | undefined => {
    if (action === 'GetConfiguration')
      return {
        configurationKey: Object.entries(this.keys).map(([key, value]) => ({
          key,
          value,
          readonly: this.readonly.includes(key),
        })),
      };
    if (action === 'Reset') return { status: 'Accepted' };
    const key = String(request.key);
    if (key in this.overrides) return this.overrides[key];
    if (!(key in this.keys)) return { status: 'NotSupported' };
    this.keys[key] = String(request.value);
    return { status: 'Accepted' };
  };
}

const opened = () => ({ kind: 'configuration' as const, requestedBy: 'somebody', at: at.now });

async function setDesired(values: Record<string, string | null>, group?: string): Promise<void> {
  at.pass(0.01);
  await desired.put(manager.database, group === undefined ? { stationId: 'CP1' } : { group }, values);
  if (group === undefined) await openReconciliations.ofStation(manager.database, 'CP1', opened());
  else await openReconciliations.ofGroup(manager.database, group, opened());
}

async function boot(): Promise<void> {
  at.pass(1);
  await manager.ask('BootNotification', { chargePointVendor: 'Vendor', chargePointModel: 'Model' });
}

const changed = (calls: CallEnvelope[]) =>
  calls.map(({ action, request }) =>
    action === 'ChangeConfiguration' ? `${String(request.key)}=${String(request.value)}` : action,
  );

async function outcomes(): Promise<Record<string, string | undefined>> {
  const keys = await desired.effective(manager.database, 'CP1');
  return Object.fromEntries(keys.map(({ key, tried }) => [key, tried?.outcome]));
}

test('only keys that differ are changed, and a failed key does not stop the others', async () => {
  const charger = new Charger({
    HeartbeatInterval: '60',
    AllowOfflineTxForUnknownId: 'True',
    A: '1',
    B: '1',
    C: '1',
  });
  charger.readonly.push('C');
  charger.overrides.A = { status: 'Rejected' };
  charger.overrides.E = { error: 'InternalError' };
  await setDesired({
    HeartbeatInterval: '300',
    AllowOfflineTxForUnknownId: 'true',
    A: '2',
    B: '2',
    C: '2',
    D: '2',
    E: '2',
  });
  const calls = await at.run(charger.answer);
  expect(changed(calls)).toEqual(['GetConfiguration', 'A=2', 'B=2', 'D=2', 'E=2', 'HeartbeatInterval=300']);
  expect(await outcomes()).toEqual({
    A: 'rejected',
    AllowOfflineTxForUnknownId: 'accepted',
    B: 'accepted',
    C: 'readonly',
    D: 'notSupported',
    E: 'unreachable',
    HeartbeatInterval: 'accepted',
  });
  expect(await at.reconciliation('configuration')).toMatchObject({
    state: 'open',
    doing: 'no usable answer for E; will be retried later',
  });
  delete charger.overrides.E;
  charger.keys.E = '1';
  at.pass(301);
  expect(changed(await at.run(charger.answer))).toEqual(['E=2']);
  const { state, doing } = (await at.reconciliation('configuration')) ?? {};
  expect(state).toBe('failed');
  expect(doing).toContain('A rejected (the station answered Rejected), C readonly');
});

test('a station that does not answer is retried after a pause, and does not block others', async () => {
  await setDesired({ A: '2' });
  await at.run(() => undefined);
  at.pass(31);
  await manager.callMaker.sweep();
  await at.reconciler().reconcileAll();
  expect(await at.reconciliation('configuration')).toMatchObject({
    state: 'open',
    doing: 'GetConfiguration was not answered; will be retried later',
  });
  at.pass(200);
  expect(await at.run(() => undefined)).toEqual([]);
  at.pass(101);
  expect(changed(await at.run(new Charger({ A: '1' }).answer))).toEqual(['GetConfiguration', 'A=2']);
  expect(await at.reconciliation('configuration')).toMatchObject({ state: 'succeeded' });
});

test('an unanswered or failed change is retried immediately when the value is set again', async () => {
  await setDesired({ A: '2' });
  await at.run(() => undefined);
  at.pass(31);
  await manager.callMaker.sweep();
  await at.reconciler().reconcileAll();
  const charger = new Charger({ A: '1' });
  charger.overrides.A = { error: 'InternalError' };
  await setDesired({ A: '2' });
  expect(changed(await at.run(charger.answer))).toEqual(['GetConfiguration', 'A=2']);
  delete charger.overrides.A;
  await setDesired({ A: '2' });
  expect(changed(await at.run(charger.answer))).toEqual(['A=2']);
  expect(await at.reconciliation('configuration')).toMatchObject({ state: 'succeeded' });
});

test('a value that a rule forbids is rejected without sending it, and the others are changed', async () => {
  const keys = { MeterValuesSampledData: 'Voltage', MeterValuesSampledDataMaxLength: '1', ZZ: '1' };
  const charger = new Charger(keys);
  await setDesired({ MeterValuesSampledData: 'Voltage,Temperature', ZZ: '2' });
  expect(changed(await at.run(charger.answer))).toEqual(['GetConfiguration', 'ZZ=2']);
  expect(await outcomes()).toEqual({ MeterValuesSampledData: 'rejected', ZZ: 'accepted' });
});

test('the configuration is read once after each boot; drift is shown and corrected', async () => {
  const charger = new Charger({ A: '1', B: '1' });
  await setDesired({ A: '2' });
  await at.run(charger.answer);
  expect(await at.run(charger.answer)).toEqual([]);
  charger.keys.A = '3';
  await boot();
  expect(changed(await at.run(charger.answer))).toEqual(['GetConfiguration', 'A=2']);
  const [key] = await desired.effective(manager.database, 'CP1');
  expect(key?.tried).toMatchObject({ outcome: 'accepted', driftedAt: expect.any(Date) as unknown });
  await boot();
  expect(changed(await at.run(charger.answer))).toEqual(['GetConfiguration']);
});

test('the configuration is read again when the station connects after an hour: someone may have changed it on site', async () => {
  const charger = new Charger({ A: '1' });
  await setDesired({ A: '2' });
  await at.run(charger.answer);
  charger.keys.A = '3';
  await at.connect();
  expect(await at.run(charger.answer)).toEqual([]);
  at.pass(3600);
  await at.connect();
  expect(changed(await at.run(charger.answer))).toEqual(['GetConfiguration', 'A=2']);
  await at.connect();
  expect(await at.run(charger.answer)).toEqual([]);
});

test('drift by another command, or found by reading, is corrected without a boot', async () => {
  const charger = new Charger({ A: '1' });
  await setDesired({ A: '2' });
  await at.run(charger.answer);
  at.pass(1);
  await manager.command('ChangeConfiguration', { key: 'A', value: '9' }, { status: 'Accepted' });
  charger.keys.A = '9';
  at.skip();
  expect(changed(await at.run(charger.answer))).toEqual(['A=2']);
  at.pass(1);
  const configurationKey = [{ key: 'A', value: '7', readonly: false }];
  await manager.command('GetConfiguration', {}, { configurationKey });
  at.skip();
  expect(changed(await at.run(charger.answer))).toEqual(['A=2']);
});

test('a station that limits its answer to GetConfigurationMaxKeys is not asked again and again', async () => {
  const charger = new Charger({ GetConfigurationMaxKeys: '1' });
  charger.overrides.A = { status: 'Rejected' };
  charger.overrides.B = { status: 'Rejected' };
  await setDesired({ A: '1', B: '1' });
  expect(changed(await at.run(charger.answer))).toEqual(['GetConfiguration', 'A=1', 'B=1']);
});

test('RebootRequired: the station is reset when idle if desired, and not again if the value stays ineffective', async () => {
  const charger = new Charger({ A: '1' });
  charger.overrides.A = { status: 'RebootRequired' };
  await setDesired({ A: '2' });
  expect(changed(await at.run(charger.answer))).toEqual(['GetConfiguration', 'A=2']);
  expect(await at.reconciliation('configuration')).toMatchObject({ state: 'succeeded' });
  expect(await outcomes()).toEqual({ A: 'rebootRequired' });
  await desired.setReset(manager.database, { stationId: 'CP1' }, 'whenIdle');
  await setDesired({});
  await manager.ask('StartTransaction', {
    connectorId: 1,
    idTag: 'X',
    meterStart: 0,
    timestamp: at.now.toISOString(),
  });
  expect(await at.run(charger.answer)).toEqual([]);
  expect((await at.reconciliation('configuration'))?.doing).toBe(
    'waits until no transaction runs, to reset it for A',
  );
  await manager.rows('UPDATE transactions SET stopped_at = now()');
  at.pass(11);
  expect(changed(await at.run(charger.answer))).toEqual(['Reset']);
  expect((await at.reconciliation('configuration'))?.doing).toBe('waits for it to boot');
  await boot();
  expect(changed(await at.run(charger.answer))).toEqual(['GetConfiguration']);
  expect(await outcomes()).toEqual({ A: 'ineffective' });
  await boot();
  expect(changed(await at.run(charger.answer))).toEqual(['GetConfiguration']);
  expect((await at.reconciliation('configuration'))?.state).toBe('failed');
});

test('a station that accepts a Reset but never boots is not reset again', async () => {
  const charger = new Charger({ A: '1' });
  charger.overrides.A = { status: 'RebootRequired' };
  await desired.setReset(manager.database, { stationId: 'CP1' }, 'whenIdle');
  await setDesired({ A: '2' });
  expect(changed(await at.run(charger.answer))).toEqual(['GetConfiguration', 'A=2', 'Reset']);
  at.pass(901);
  expect(await at.run(charger.answer)).toEqual([]);
  expect(await at.reconciliation('configuration')).toMatchObject({
    state: 'failed',
    doing: 'the station was reset for A but has not booted; reset it manually',
  });
});

test('own values take precedence over those of groups; groups by lowest rank, then by name', async () => {
  const add = (name: string, rank: number, more: object) =>
    manager.rows(
      `INSERT INTO station_groups SELECT r.* FROM jsonb_populate_record(NULL::station_groups, $1) r`,
      [JSON.stringify({ name, rank, station_ids: [], updated_at: new Date(), ...more })],
    );
  await add('z', 1, { vendor: 'Vendor', model: 'Model' });
  await add('b', 5, { prefix: 'CP' });
  await add('a', 5, { station_ids: ['CP1'] });
  await add('others', 0, { vendor: 'Vendor', model: 'Another' });
  await setDesired({ A: 'z', B: 'z' }, 'z');
  await setDesired({ B: 'b', C: 'b', D: 'b' }, 'b');
  await setDesired({ C: 'a', D: 'a' }, 'a');
  await setDesired({ A: 'others' }, 'others');
  await setDesired({ D: 'own' });
  const charger = new Charger({ A: '', B: '', C: '', D: '' });
  expect(changed(await at.run(charger.answer))).toEqual(['GetConfiguration', 'A=z', 'B=z', 'C=a', 'D=own']);
  await setDesired({ C: 'new' }, 'a');
  expect(changed(await at.run(charger.answer))).toEqual(['C=new']);
  await setDesired({ D: null });
  expect(changed(await at.run(charger.answer))).toEqual(['D=a']);
});

test('a station that boots for the first time gets the values of the group that its boot puts it in', async () => {
  await manager.rows(`INSERT INTO station_groups (name, vendor, updated_at) VALUES ('v', 'Vendor', now())`);
  await setDesired({ A: '2' }, 'v');
  await manager.rows('DELETE FROM reconciliations');
  await boot();
  expect(changed(await at.run(new Charger({ A: '1' }).answer))).toEqual(['GetConfiguration', 'A=2']);
});
