import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openDesk } from '../desk.ts';
import type { Desk } from '../desk.ts';

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk.close());

test.each(['Unlocked', 'UnlockFailed', 'NotSupported'])(
  'UnlockConnector answered %s is settled, and nothing is tried again',
  async (status) => {
    const before = desk.sent().length;
    const command = await desk.command('UnlockConnector', { connectorId: 1 }, { status });
    expect(command).toMatchObject({ status: 'answered', response: { status } });
    await desk.callMaker.sweep();
    expect(desk.sent()).toHaveLength(before + 1);
  },
);

test('UnlockConnector of the whole station breaks a rule', async () => {
  await expect(desk.command('UnlockConnector', { connectorId: 0 })).rejects.toMatchObject({
    rule: 'Unlock.1',
  });
});

test.each(['Accepted', 'Rejected'])('ClearCache answered %s is settled', async (status) => {
  expect(await desk.command('ClearCache', {}, { status })).toMatchObject({
    status: 'answered',
    response: { status },
  });
});

test.each(['Accepted', 'Rejected', 'UnknownMessageId', 'UnknownVendorId'])(
  'DataTransfer to a station, answered %s, is settled with what it brings',
  async (status) => {
    const request = { vendorId: 'com.example', messageId: 'Hello', data: '{"a":1}' };
    expect(await desk.command('DataTransfer', request, { status, data: 'x' })).toMatchObject({
      request,
      response: { status, data: 'x' },
    });
  },
);
