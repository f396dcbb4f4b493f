import { expect, test } from '@jest/globals';
import { deliver, reportSecurityEvent } from '../src/connection/deliver.ts';
import { CallRefused, ConnectionClosed } from '../src/index.ts';
import { PartContext } from './part-context.ts';

const NOTIFICATION = { status: 'Uploaded' } as const;

test('a notification is resent once the station has reconnected', async () => {
  const context = new PartContext();
  context.answer = () => {
    context.isConnected = false;
    throw new ConnectionClosed('DiagnosticsStatusNotification');
  };
  const delivered = deliver(context, 'DiagnosticsStatusNotification', NOTIFICATION);
  await new Promise(setImmediate);
  expect(context.sent).toHaveLength(1);
  context.answer = () => ({});
  context.isConnected = true;
  context.emit('connected');
  expect(await delivered).toEqual({});
  expect(context.sent.map(({ request }) => request)).toEqual([NOTIFICATION, NOTIFICATION]);
});

test('a refused notification is not resent', async () => {
  const context = new PartContext();
  context.answer = () => {
    throw new CallRefused('NotImplemented', '');
  };
  expect(await deliver(context, 'DiagnosticsStatusNotification', NOTIFICATION)).toBeUndefined();
  expect(context.sent).toHaveLength(1);
});

test('a security event is sent after the first boot is answered, with the time at which it happened', async () => {
  let now = Date.parse('2026-11-30T12:00:00Z');
  const context = new PartContext({ now: () => now });
  context.isConnected = false;
  context.registrationStatus = undefined;
  const reported = reportSecurityEvent(context, 'SettingSystemTime', 'x'.repeat(300));
  now += 60_000;
  context.isConnected = true;
  context.emit('connected');
  await new Promise(setImmediate);
  expect(context.sent).toEqual([]);
  context.registrationStatus = 'Pending';
  context.emit('booted', 'Pending');
  await reported;
  expect(context.sent.map(({ request }) => request)).toEqual([
    { type: 'SettingSystemTime', timestamp: '2026-11-30T12:00:00.000Z', techInfo: 'x'.repeat(255) },
  ]);
});
