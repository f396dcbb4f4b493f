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

test('GetConfiguration: keys are kept with value and readonly, those not set with none', async () => {
  await get([key('HeartbeatInterval', '60'), key('NumberOfConnectors', '2', true), key('CpoName')]);
  expect(await kept()).toEqual(['CpoName=null', 'HeartbeatInterval=60', 'NumberOfConnectors=2 r']);
  await get([key('heartbeatinterval', '90')], { asked: ['HeartbeatInterval'] });
  expect(await kept()).toEqual(['CpoName=null', 'heartbeatinterval=90', 'NumberOfConnectors=2 r']);
});

test('GetConfiguration: an unknown key is dropped; all keys are all there are', async () => {
  await get([key('A', '1'), key('B', '2'), key('C', '3')]);
  await get([key('A', '1')], { asked: ['A', 'b'], unknownKey: ['b'] });
  expect(await kept()).toEqual(['A=1', 'C=3']);
  await get([key('A', '4')], { asked: [] });
  expect(await kept()).toEqual(['A=4']);
});

test('GetConfiguration: an empty answer, and one cut at GetConfigurationMaxKeys, drop nothing', async () => {
  await get([key('A', '1'), key('B', '2'), key('GetConfigurationMaxKeys', '2', true)]);
  await get([key('A', '3'), key('GetConfigurationMaxKeys', '2', true)]);
  await manager.command('GetConfiguration', {}, {});
  expect(await kept()).toEqual(['A=3', 'B=2', 'GetConfigurationMaxKeys=2 r']);
});

test('GetConfiguration.2: no more keys are asked for than the station takes', async () => {
  await get([key('GetConfigurationMaxKeys', '2', true)]);
  await expect(get([], { asked: ['A', 'B', 'C'] })).rejects.toMatchObject({ rule: 'GetConfiguration.2' });
  expect(await get([], { asked: ['A', 'B'] })).toMatchObject({ status: 'answered' });
});

test('GetConfiguration.4: what comes back of an AuthorizationKey is not kept, and its absence tells nothing', async () => {
  const row = await get([key('AuthorizationKey', 'secret'), key('A', '1')]);
  expect(await kept()).toEqual(['A=1', 'AuthorizationKey=null']);
  expect(JSON.stringify(row)).not.toContain('secret');
  await get([key('A', '2')]);
  expect(await kept()).toEqual(['A=2', 'AuthorizationKey=null']);
});

test('GetConfiguration: a late answer overwrites nothing younger', async () => {
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

test('GetConfiguration: a key told twice, and a hundred at once', async () => {
  const many = Array.from({ length: 100 }, (_, i) => key(`Key${String(i).padStart(2, '0')}`, `${i}`));
  await get([...many, key('KEY00', 'again')]);
  expect(await kept()).toHaveLength(100);
});

test('GetConfiguration: what waits for a boot still does when it is read', async () => {
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
