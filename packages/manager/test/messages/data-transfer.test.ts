import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { dataTransferOf } from '../../src/messages/v16/data-transfer.ts';
import { MESSAGES } from '../../src/messages/v16/index.ts';
import { openTestManager } from '../test-manager.ts';
import type { TestManager } from '../test-manager.ts';

let manager: TestManager;
beforeAll(async () => {
  const vendors = {
    'org.example': {
      echo: async ({ data }: { data?: string }) => ({ status: 'Accepted' as const, data: data ?? 'none' }),
      '': async () => ({ status: 'Rejected' as const }),
    },
  };
  manager = await openTestManager({ messages: { ...MESSAGES, DataTransfer: dataTransferOf(vendors) } });
});
afterAll(() => manager.close());

test.each([
  [
    { vendorId: 'org.example', messageId: 'echo', data: 'hello' },
    { status: 'Accepted', data: 'hello' },
  ],
  [
    { vendorId: 'ORG.Example', messageId: 'ECHO', data: '1' },
    { status: 'Accepted', data: '1' },
  ],
  [{ vendorId: 'org.example' }, { status: 'Rejected' }],
  [{ vendorId: 'org.example', messageId: 'other' }, { status: 'UnknownMessageId' }],
  [{ vendorId: 'nobody', messageId: 'echo', data: 'x' }, { status: 'UnknownVendorId' }],
  [{ vendorId: 'constructor', messageId: 'toString' }, { status: 'UnknownVendorId' }],
  [{ vendorId: 'org.example', messageId: 'constructor' }, { status: 'UnknownMessageId' }],
])('routes %j', async (request, response) => {
  expect((await manager.ask('DataTransfer', request)).response).toEqual(response);
});

test('treats data that is an object as its JSON text', async () => {
  const { response } = await manager.ask('DataTransfer', {
    vendorId: 'org.example',
    messageId: 'echo',
    data: { a: 1 },
  });
  expect(response).toEqual({ status: 'Accepted', data: '{"a":1}' });
});
