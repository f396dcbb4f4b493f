import { expect, test } from '@jest/globals';
import { bootPair } from './setup.ts';

test('answers are scripted: a response, an error, silence, lateness', async () => {
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

test('a command that is met with silence has no effect', async () => {
  const { manager, station } = await bootPair();
  station.answers.next('ChangeConfiguration', 'silence');
  const arrived = new Promise<void>((resolve) => station.once('received', () => resolve()));
  const change = manager.command('ChangeConfiguration', { key: 'HeartbeatInterval', value: '77' });
  await arrived;
  await Promise.all([expect(change).rejects.toThrow(), station.disconnect()]);
  expect(station.configuration.integer('HeartbeatInterval')).toBe(300);
});
