import { expect, test } from '@jest/globals';
import { certification, TAGS } from './tool.ts';
import type { Tool } from './tool.ts';

const cases = certification();
const ENTRY = { idTag: TAGS.valid, idTagInfo: { status: 'Accepted', parentIdTag: TAGS.parent } };

async function booted(caseId: string): Promise<Tool> {
  const tool = await cases.open(caseId);
  await tool.boot();
  return tool;
}

test.each([
  ['TC_042_1_CSMS Get Local List Version (not supported)', 'TC_042_1', -1, false],
  ['TC_042_2_CSMS Get Local List Version (empty)', 'TC_042_2', 0, true],
] as const)('%s', async (...[, caseId, listVersion, isSupported]) => {
  const tool = await booted(caseId);
  tool.station.answers.next('GetLocalListVersion', { response: { listVersion } });
  expect(await tool.send('GetLocalListVersion', {})).toMatchObject({ status: 'answered' });
  expect(await tool.shown('/local-list')).toMatchObject({ supported: isSupported });
});

test.each([
  ['TC_043_1_CSMS Send Local Authorization List - NotSupported', 'TC_043_1', 'NotSupported'],
  ['TC_043_3_CSMS Send Local Authorization List - Failed', 'TC_043_3', 'Failed'],
] as const)('%s', async (...[, caseId, status]) => {
  const tool = await booted(caseId);
  tool.station.answers.next('SendLocalList', { response: { status } });
  const request = { updateType: 'Full', localAuthorizationList: [ENTRY] };
  expect(await tool.send('SendLocalList', request)).toMatchObject({ response: { status } });
  expect(tool.sentByCsms('SendLocalList')).toMatchObject([{ updateType: 'Full' }]);
  expect(await tool.shown('/local-list')).toMatchObject({ lastStatus: status });
  expect(await tool.listed('/local-list/entries')).toEqual([]);
});

test('TC_043_4_CSMS Send Local Authorization List - Full', async () => {
  const tool = await booted('TC_043_4');
  await tool.send('SendLocalList', { updateType: 'Full', localAuthorizationList: [ENTRY] });
  const [sent] = tool.sentByCsms('SendLocalList');
  expect(sent?.updateType).toBe('Full');
  expect(sent?.localAuthorizationList?.every(({ idTagInfo }) => idTagInfo)).toBe(true);
  expect(tool.station.localList.version).toBe(sent?.listVersion);
  expect(await tool.listed('/local-list/entries')).toMatchObject([{ idTag: TAGS.valid }]);
});

test('TC_043_5_CSMS Send Local Authorization List - Differential', async () => {
  const tool = await booted('TC_043_5');
  await tool.send('SendLocalList', { updateType: 'Full', localAuthorizationList: [ENTRY] });
  await tool.send('GetLocalListVersion', {});
  const entry = { ...ENTRY, idTag: TAGS.other };
  await tool.send('SendLocalList', { updateType: 'Differential', localAuthorizationList: [entry] });
  const [first, second] = tool.sentByCsms('SendLocalList');
  expect(second).toMatchObject({ updateType: 'Differential', localAuthorizationList: [entry] });
  expect(second?.listVersion).toBeGreaterThan(first?.listVersion ?? Infinity);
  expect(tool.station.localList.entries.size).toBe(2);
  expect(await tool.listed('/local-list/entries')).toHaveLength(2);
});
