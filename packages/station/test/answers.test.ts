import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { bootPair } from './setup.ts';

test('scripted answers: a response, an error, silence, a delay', async () => {
  const { manager, station } = await bootPair();
  const clear = () => manager.command('ClearCache', {});
  station.answers.next('ClearCache', { response: { status: 'Rejected' } });
  station.answers.next('ClearCache', { error: 'InternalError' });
  await expect(clear()).resolves.toEqual({ status: 'Rejected' });
  await expect(clear()).rejects.toMatchObject({ rpcErrorCode: 'InternalError' });
  station.answers.next('ClearCache', { afterMs: 20 });
  await expect(clear()).resolves.toEqual({ status: 'Accepted' });
  station.answers.set('ClearCache', { response: { status: 'Rejected' } });
  for (let i = 0; i < 2; i++) await expect(clear()).resolves.toEqual({ status: 'Rejected' });
  station.answers.clear();
  await expect(clear()).resolves.toEqual({ status: 'Accepted' });
});

test('an unanswered command has no effect', async () => {
  const { manager, station } = await bootPair();
  station.answers.next('ChangeConfiguration', 'silence');
  const arrived = new Promise<void>((resolve) => station.once('received', () => resolve()));
  const change = manager.command('ChangeConfiguration', { key: 'HeartbeatInterval', value: '77' });
  await arrived;
  await Promise.all([expect(change).rejects.toThrow(), station.disconnect()]);
  expect(station.configuration.integer('HeartbeatInterval')).toBe(300);
});

test('a delayed scripted answer has no effect', async () => {
  const { manager, station } = await bootPair();
  const reset = () => manager.command('Reset', { type: 'Hard' });
  station.answers.next('Reset', { response: { status: 'Accepted' }, afterMs: 5 });
  station.answers.next('Reset', { error: 'GenericError', description: 'not now', afterMs: 5 });
  await expect(reset()).resolves.toEqual({ status: 'Accepted' });
  await expect(reset()).rejects.toMatchObject({ rpcErrorCode: 'GenericError', message: 'not now' });
  await station.call('Heartbeat', {});
  expect(manager.requests('BootNotification')).toHaveLength(1);
});

test('the socket is terminated instead of an answer, and a script from the options can be removed', async () => {
  const answers = { ClearCache: 'dropSocket' } as const;
  const { manager, station } = await bootPair({ answers });
  const back = once(station, 'connected');
  await expect(manager.command('ClearCache', {})).rejects.toThrow();
  await back;
  // The manager commands over the new socket once it has heard from it.
  await station.call('Heartbeat', {});
  station.answers.set('ClearCache', undefined);
  await expect(manager.command('ClearCache', {})).resolves.toEqual({ status: 'Accepted' });
});

test('the station crashes on a command and boots again', async () => {
  const { manager, station } = await bootPair();
  station.answers.next('ClearCache', 'crash');
  await expect(manager.command('ClearCache', {})).rejects.toThrow();
  await manager.until(() => manager.requests('BootNotification').length === 2);
});
