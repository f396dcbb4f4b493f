import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { openTestManager } from '../test-manager.ts';
import type { TestManager } from '../test-manager.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await openTestManager();
});
afterAll(() => manager.close());
beforeEach(() =>
  manager.rows(`WITH s AS (UPDATE stations SET configuration_read_at = NULL), k AS (DELETE FROM commands)
    DELETE FROM configuration_keys`),
);

const key = (name: string, value?: string, readonly = false) => ({
  key: name,
  readonly,
  ...(value !== undefined && { value }),
});
const get = (
  configurationKey: object[],
  { asked, unknownKey }: { asked?: string[]; unknownKey?: string[] } = {},
) =>
  manager.command('GetConfiguration', asked ? { key: asked } : {}, {
    configurationKey,
    ...(unknownKey && { unknownKey }),
  });
const kept = async (): Promise<string[]> =>
  (await manager.rows('SELECT key, value, readonly FROM configuration_keys ORDER BY key_lower')).map(
    ({ key: name, value, readonly }) => `${String(name)}=${String(value)}${readonly === true ? ' r' : ''}`,
  );

test('GetConfiguration: keys are stored with value and readonly; the value may be missing', async () => {
  await get([key('HeartbeatInterval', '60'), key('NumberOfConnectors', '2', true), key('CpoName')]);
  expect(await kept()).toEqual(['CpoName=null', 'HeartbeatInterval=60', 'NumberOfConnectors=2 r']);
  await get([key('heartbeatinterval', '90')], { asked: ['HeartbeatInterval'] });
  expect(await kept()).toEqual(['CpoName=null', 'heartbeatinterval=90', 'NumberOfConnectors=2 r']);
});

test('GetConfiguration: an unknown key is removed; a list of all keys replaces the stored ones', async () => {
  await get([key('A', '1'), key('B', '2'), key('C', '3')]);
  await get([key('A', '1')], { asked: ['A', 'b'], unknownKey: ['b'] });
  expect(await kept()).toEqual(['A=1', 'C=3']);
  await get([key('A', '4')], { asked: [] });
  expect(await kept()).toEqual(['A=4']);
});

test('GetConfiguration: an empty answer, or one cut at GetConfigurationMaxKeys, removes nothing', async () => {
  await get([key('A', '1'), key('B', '2'), key('GetConfigurationMaxKeys', '2', true)]);
  await get([key('A', '3'), key('GetConfigurationMaxKeys', '2', true)]);
  await manager.command('GetConfiguration', {}, {});
  expect(await kept()).toEqual(['A=3', 'B=2', 'GetConfigurationMaxKeys=2 r']);
});

test('GetConfiguration.2: no more keys are requested than the station allows', async () => {
  await get([key('GetConfigurationMaxKeys', '2', true)]);
  await expect(get([], { asked: ['A', 'B', 'C'] })).rejects.toMatchObject({ rule: 'GetConfiguration.2' });
  expect(await get([], { asked: ['A', 'B'] })).toMatchObject({ status: 'answered' });
});

test('GetConfiguration.4: the reported value of an AuthorizationKey is not stored, and its absence has no meaning', async () => {
  const row = await get([key('AuthorizationKey', 'secret'), key('A', '1')]);
  expect(await kept()).toEqual(['A=1', 'AuthorizationKey=null']);
  expect(JSON.stringify(row)).not.toContain('secret');
  await get([key('A', '2')]);
  expect(await kept()).toEqual(['A=2', 'AuthorizationKey=null']);
});

test('GetConfiguration: a late answer does not overwrite newer values', async () => {
  await manager.command('GetConfiguration', {});
  const late = manager.sent().at(-1);
  await manager.rows("UPDATE commands SET status = 'timedOut' WHERE status = 'sent'");
  manager.setNow(new Date(Date.now() + 5000));
  await manager.command('ChangeConfiguration', { key: 'BlinkRepeat', value: '5' }, { status: 'Accepted' });
  manager.setNow(undefined);
  if (late) await manager.answer(late, { configurationKey: [key('BlinkRepeat', '1'), key('A', '1')] });
  expect(await kept()).toEqual(['A=1', 'BlinkRepeat=5']);

  await manager.command('GetConfiguration', { key: ['Old'] });
  const older = manager.sent().at(-1);
  await manager.rows("UPDATE commands SET status = 'timedOut' WHERE status = 'sent'");
  manager.setNow(new Date(Date.now() + 10_000));
  await get([key('A', '2'), key('B', '2')]);
  manager.setNow(undefined);
  if (older) await manager.answer(older, { configurationKey: [key('Old', '1')] });
  expect(await kept()).toEqual(['A=2', 'B=2']);
});

test('GetConfiguration: a key reported twice, and a hundred keys in one answer', async () => {
  const many = Array.from({ length: 100 }, (_, i) => key(`Key${String(i).padStart(2, '0')}`, `${i}`));
  await get([...many, key('KEY00', 'again')]);
  expect(await kept()).toHaveLength(100);
});

test('GetConfiguration: a value that waits for a boot still does after a reading', async () => {
  await manager.command(
    'ChangeConfiguration',
    { key: 'BlinkRepeat', value: '3' },
    { status: 'RebootRequired' },
  );
  await get([key('BlinkRepeat', '3')]);
  expect(await manager.rows('SELECT value, reboot_required FROM configuration_keys')).toEqual([
    { value: '3', reboot_required: true },
  ]);
});
