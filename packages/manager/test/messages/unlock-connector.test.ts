import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openTestManager } from '../test-manager.ts';
import type { TestManager } from '../test-manager.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await openTestManager();
});
afterAll(() => manager.close());

test.each(['Unlocked', 'UnlockFailed', 'NotSupported'])(
  'UnlockConnector answered with %s is completed, and not retried',
  async (status) => {
    const before = manager.sent().length;
    const command = await manager.command('UnlockConnector', { connectorId: 1 }, { status });
    expect(command).toMatchObject({ status: 'answered', response: { status } });
    await manager.callMaker.sweep();
    expect(manager.sent()).toHaveLength(before + 1);
  },
);

test('UnlockConnector of the whole station breaks a rule', async () => {
  await expect(manager.command('UnlockConnector', { connectorId: 0 })).rejects.toMatchObject({
    rule: 'Unlock.1',
  });
});

test.each(['Accepted', 'Rejected'])('ClearCache answered with %s is completed', async (status) => {
  expect(await manager.command('ClearCache', {}, { status })).toMatchObject({
    status: 'answered',
    response: { status },
  });
});

test.each(['Accepted', 'Rejected', 'UnknownMessageId', 'UnknownVendorId'])(
  'DataTransfer to a station, answered with %s, is completed with the data of the answer',
  async (status) => {
    const request = { vendorId: 'com.example', messageId: 'Hello', data: '{"a":1}' };
    expect(await manager.command('DataTransfer', request, { status, data: 'x' })).toMatchObject({
      request,
      response: { status, data: 'x' },
    });
  },
);
