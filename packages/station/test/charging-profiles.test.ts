import { expect, test } from '@jest/globals';
import type { ChargingProfile } from '@evander/ocpp';
import { bootPair } from './setup.ts';

const slow = { meterValues: 1, intervalMs: 3_600_000, energyWh: 1000 };

function profile(
  chargingProfileId: number,
  chargingProfilePurpose: ChargingProfile['chargingProfilePurpose'],
  { limit = 10, ...fields }: Partial<ChargingProfile> & { limit?: number } = {},
): ChargingProfile {
  return {
    chargingProfileId,
    chargingProfilePurpose,
    stackLevel: 0,
    chargingProfileKind: 'Absolute',
    chargingSchedule: {
      startSchedule: '2026-01-01T00:00:00Z',
      chargingRateUnit: 'A',
      chargingSchedulePeriod: [{ startPeriod: 0, limit }],
    },
    ...fields,
  };
}

test('profiles are installed, replaced, and cleared exactly by the filter', async () => {
  const { manager, station } = await bootPair({ connectors: 2 });
  const set = (connectorId: number, csChargingProfiles: ChargingProfile) =>
    manager.command('SetChargingProfile', { connectorId, csChargingProfiles });
  const ids = () => station.chargingProfiles.installed.map((one) => one.profile.chargingProfileId);
  for (const answer of [
    set(0, profile(1, 'ChargePointMaxProfile')),
    set(1, profile(2, 'TxDefaultProfile')),
    set(1, profile(3, 'TxDefaultProfile')),
    set(2, profile(4, 'TxDefaultProfile', { stackLevel: 1 })),
  ])
    await expect(answer).resolves.toEqual({ status: 'Accepted' });
  expect(ids()).toEqual([1, 3, 4]);
  for (const answer of [
    set(1, profile(5, 'ChargePointMaxProfile')),
    set(1, profile(5, 'TxProfile', { transactionId: 1 })),
    set(9, profile(5, 'TxDefaultProfile')),
    set(1, profile(5, 'TxDefaultProfile', { stackLevel: 11 })),
  ])
    await expect(answer).resolves.toEqual({ status: 'Rejected' });
  const clear = (filter: object) => manager.command('ClearChargingProfile', filter);
  await expect(clear({ connectorId: 1, stackLevel: 1 })).resolves.toEqual({ status: 'Unknown' });
  await expect(clear({ id: 1, connectorId: 2 })).resolves.toEqual({ status: 'Accepted' });
  expect(ids()).toEqual([3, 4]);
  await expect(clear({})).resolves.toEqual({ status: 'Accepted' });
  expect(ids()).toEqual([]);
});

test('a profile of a remote start limits its transaction and ends with it', async () => {
  const { manager, station } = await bootPair({ remoteSession: slow, speed: 1 });
  await manager.command('SetChargingProfile', {
    connectorId: 0,
    csChargingProfiles: profile(1, 'ChargePointMaxProfile', { limit: 16 }),
  });
  const chargingProfile = profile(2, 'TxProfile', { limit: 8.1 });
  await manager.command('RemoteStartTransaction', { idTag: 'TAG', chargingProfile });
  await manager.until(() => manager.requests('StatusNotification').at(-1)?.status === 'Charging');
  const composite = () => manager.command('GetCompositeSchedule', { connectorId: 1, duration: 60 });
  await expect(composite()).resolves.toMatchObject({
    status: 'Accepted',
    connectorId: 1,
    chargingSchedule: { chargingRateUnit: 'A', chargingSchedulePeriod: [{ startPeriod: 0, limit: 8.1 }] },
  });
  await manager.command('RemoteStopTransaction', { transactionId: 1 });
  await manager.until(() => manager.requests('StopTransaction').length === 1);
  await expect(composite()).resolves.toMatchObject({
    chargingSchedule: { chargingSchedulePeriod: [{ startPeriod: 0, limit: 16 }] },
  });
  await expect(manager.command('GetCompositeSchedule', { connectorId: 5, duration: 60 })).resolves.toEqual({
    status: 'Rejected',
  });
  expect(station.violations).toEqual([]);
});

test('connector 0 is the sum of all connectors', async () => {
  const { manager } = await bootPair({ connectors: 2, remoteSession: slow, speed: 1 });
  const composite = async () =>
    (await manager.command('GetCompositeSchedule', { connectorId: 0, duration: 60 })).chargingSchedule
      ?.chargingSchedulePeriod;
  await expect(composite()).resolves.toEqual([{ startPeriod: 0, limit: 64 }]);
  const chargingProfile = profile(1, 'TxProfile', { limit: 8 });
  await manager.command('RemoteStartTransaction', { connectorId: 1, idTag: 'TAG', chargingProfile });
  await manager.until(() => manager.requests('StatusNotification').at(-1)?.status === 'Charging');
  await expect(composite()).resolves.toEqual([{ startPeriod: 0, limit: 40 }]);
  await manager.command('SetChargingProfile', {
    connectorId: 0,
    csChargingProfiles: profile(2, 'ChargePointMaxProfile', { limit: 16 }),
  });
  await expect(composite()).resolves.toEqual([{ startPeriod: 0, limit: 16 }]);
});

test('a change that needs a reboot takes effect after it', async () => {
  const { manager, station } = await bootPair({ rebootRequiredFor: ['HeartbeatInterval'] });
  await expect(
    manager.command('ChangeConfiguration', { key: 'heartbeatinterval', value: '77' }),
  ).resolves.toEqual({ status: 'RebootRequired' });
  expect(station.configuration.integer('HeartbeatInterval')).toBe(300);
  station.configuration.reboot();
  expect(station.configuration.integer('HeartbeatInterval')).toBe(77);
});

test('a profile that violates a rule is rejected, and a replacing one needs no extra room', async () => {
  const { manager } = await bootPair({ configuration: { MaxChargingProfilesInstalled: '1' } });
  const set = async (fields: Partial<ChargingProfile>) =>
    (
      await manager.command('SetChargingProfile', {
        connectorId: 0,
        csChargingProfiles: profile(1, 'TxDefaultProfile', fields),
      })
    ).status;
  const { chargingSchedule } = profile(1, 'TxDefaultProfile');
  const { chargingRateUnit, chargingSchedulePeriod } = chargingSchedule;
  const withoutStart = { chargingRateUnit, chargingSchedulePeriod };
  const periods = (...starts: number[]) => ({
    chargingSchedule: {
      ...chargingSchedule,
      chargingSchedulePeriod: starts.map((startPeriod) => ({ startPeriod, limit: 6 })),
    },
  });
  expect(await set({ transactionId: 1 })).toBe('Rejected');
  expect(await set({ recurrencyKind: 'Daily' })).toBe('Rejected');
  expect(await set({ chargingProfileKind: 'Recurring' })).toBe('Rejected');
  expect(await set({ chargingProfileKind: 'Relative' })).toBe('Rejected');
  expect(await set(periods(5))).toBe('Rejected');
  expect(await set(periods(0, 60, 60))).toBe('Rejected');
  expect(await set(periods(0, 60, 120))).toBe('Accepted');
  expect(await set({ chargingProfileKind: 'Relative', chargingSchedule: withoutStart })).toBe('Accepted');
  expect(await set({ chargingProfileId: 2, stackLevel: 1 })).toBe('Rejected');
});

test('a remote start accepts only a TxProfile without a transaction', async () => {
  const { manager } = await bootPair({ remoteSession: slow });
  const start = (chargingProfile: ChargingProfile) =>
    manager.command('RemoteStartTransaction', { idTag: 'TAG', chargingProfile });
  await expect(start(profile(1, 'TxDefaultProfile'))).resolves.toEqual({ status: 'Rejected' });
  await expect(start(profile(1, 'TxProfile', { transactionId: 1 }))).resolves.toEqual({ status: 'Rejected' });
  await expect(start(profile(1, 'TxProfile'))).resolves.toEqual({ status: 'Accepted' });
});
