import { expect, test } from '@jest/globals';
import { eventually } from '../system/fixture.ts';
import { certification, TAGS } from './tool.ts';
import type { Tool } from './tool.ts';

const cases = certification();
const DAY_MS = 86_400_000;

async function booted(caseId: string, options = {}): Promise<Tool> {
  const tool = await cases.open(caseId, options);
  await tool.boot();
  return tool;
}

/** Starts a transaction at the station itself, so that the station knows it; returns its id. */
async function charging(tool: Tool): Promise<number> {
  const session = tool.station.connector(1).start(TAGS.valid);
  await session.answered;
  return session.transactionId ?? 0;
}

function profile(chargingProfilePurpose: string, fields = {}) {
  const time = (ms: number): string => new Date(Date.now() + ms).toISOString();
  return {
    stackLevel: 0,
    chargingProfilePurpose,
    chargingProfileKind: 'Absolute',
    validFrom: time(-60_000),
    validTo: time(DAY_MS),
    chargingSchedule: {
      startSchedule: time(-60_000),
      duration: 86_400,
      chargingRateUnit: 'A',
      chargingSchedulePeriod: [{ startPeriod: 0, limit: 6, numberPhases: 3 }],
    },
    ...fields,
  };
}

test('TC_056_CSMS Central Smart Charging - TxDefaultProfile', async () => {
  const tool = await booted('TC_056');
  const csChargingProfiles = profile('TxDefaultProfile');
  expect(await tool.send('SetChargingProfile', { connectorId: 1, csChargingProfiles })).toMatchObject({
    response: { status: 'Accepted' },
  });
  const [sent] = tool.sentByCsms('SetChargingProfile');
  expect(sent).toMatchObject({ connectorId: 1, csChargingProfiles });
  expect(sent?.csChargingProfiles).not.toHaveProperty('transactionId');
  expect(sent?.csChargingProfiles).not.toHaveProperty('recurrencyKind');
  expect(await tool.listed('/charging-profiles')).toHaveLength(1);
});

test('TC_057_CSMS Central Smart Charging - TxProfile', async () => {
  const tool = await booted('TC_057');
  const transactionId = await charging(tool);
  const csChargingProfiles = profile('TxProfile', { transactionId });
  expect(await tool.send('SetChargingProfile', { connectorId: 1, csChargingProfiles })).toMatchObject({
    response: { status: 'Accepted' },
  });
  expect(tool.sentByCsms('SetChargingProfile')).toMatchObject([{ connectorId: 1, csChargingProfiles }]);
});

test('TC_059_CSMS Remote Start Transaction with Charging Profile', async () => {
  const tool = await booted('TC_059', {
    configuration: { AuthorizeRemoteTxRequests: 'true' },
    speed: 1,
    remoteSession: { meterValues: 1, intervalMs: 3_600_000, energyWh: 1000 },
  });
  const chargingProfile = profile('TxProfile');
  await tool.send('RemoteStartTransaction', { idTag: TAGS.valid, connectorId: 1, chargingProfile });
  await tool.until('StartTransaction');
  const [sent] = tool.sentByCsms('RemoteStartTransaction');
  expect(sent).toMatchObject({ idTag: TAGS.valid, connectorId: 1, chargingProfile });
  expect(sent?.chargingProfile).not.toHaveProperty('transactionId');
  expect(tool.answersOfCsms('Authorize')).toMatchObject([{ idTagInfo: { status: 'Accepted' } }]);
  expect(tool.answersOfCsms('StartTransaction')).toMatchObject([{ idTagInfo: { status: 'Accepted' } }]);
  const [transaction] = await tool.transactions();
  expect(await tool.listed('/charging-profiles')).toMatchObject([
    { purpose: 'TxProfile', transactionId: transaction?.transactionId },
  ]);
});

test('TC_066_CSMS Get Composite Schedule', async () => {
  const tool = await booted('TC_066');
  const request = { connectorId: 1, duration: 300, chargingRateUnit: 'A' };
  const command = await tool.send('GetCompositeSchedule', request);
  expect(tool.sentByCsms('GetCompositeSchedule')).toEqual([request]);
  expect(command).toMatchObject({
    response: { status: 'Accepted', chargingSchedule: { chargingSchedulePeriod: [{ startPeriod: 0 }] } },
  });
  await eventually(async () => {
    expect(JSON.stringify(await tool.shown('/connectors/1/composite-schedule'))).toContain('startPeriod');
  });
});

test('TC_067_CSMS Clear Charging Profile', async () => {
  const tool = await booted('TC_067');
  const transactionId = await charging(tool);
  for (const [connectorId, csChargingProfiles] of [
    [0, profile('ChargePointMaxProfile')],
    [1, profile('TxDefaultProfile')],
    [1, profile('TxProfile', { transactionId })],
  ] as const)
    expect(await tool.send('SetChargingProfile', { connectorId, csChargingProfiles })).toMatchObject({
      response: { status: 'Accepted' },
    });
  const ids = tool.sentByCsms('SetChargingProfile').map((sent) => sent.csChargingProfiles.chargingProfileId);
  expect(new Set(ids).size).toBe(3);
  const criteria = { connectorId: 1, chargingProfilePurpose: 'TxDefaultProfile', stackLevel: 0 };
  let left = 3;
  for (const filter of [{ id: ids[0] }, criteria, {}]) {
    expect(await tool.send('ClearChargingProfile', filter)).toMatchObject({
      response: { status: 'Accepted' },
    });
    expect(await tool.listed('/charging-profiles')).toHaveLength(--left);
  }
  expect(tool.sentByCsms('ClearChargingProfile')).toEqual([{ id: ids[0] }, criteria, {}]);
  expect(tool.station.chargingProfiles.installed).toEqual([]);
});
