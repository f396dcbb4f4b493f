import { expect, test } from '@jest/globals';
import type { IdTagInfo } from '@evander/ocpp';
import { bootPair } from './setup.ts';

const entry = (idTag: string, status?: IdTagInfo['status']) => ({
  idTag,
  ...(status && { idTagInfo: { status } }),
});

test('a local list is replaced and changed, and its version is reported', async () => {
  const { manager, station } = await bootPair();
  const send = (
    updateType: 'Full' | 'Differential',
    listVersion: number,
    localAuthorizationList: ReturnType<typeof entry>[],
  ) => manager.command('SendLocalList', { updateType, listVersion, localAuthorizationList });
  const version = async () => (await manager.command('GetLocalListVersion', {})).listVersion;
  expect(await version()).toBe(0);
  await expect(send('Full', 1, [entry('A', 'Accepted'), entry('B', 'Blocked')])).resolves.toEqual({
    status: 'Accepted',
  });
  await expect(send('Differential', 1, [])).resolves.toEqual({ status: 'VersionMismatch' });
  await expect(send('Differential', 2, [entry('b'), entry('C', 'Accepted')])).resolves.toEqual({
    status: 'Accepted',
  });
  expect([...station.localList.entries.keys()]).toEqual(['a', 'c']);
  expect(await version()).toBe(2);
  await expect(send('Full', 3, [entry('A')])).resolves.toEqual({ status: 'Failed' });
  await expect(send('Full', 3, [entry('A', 'Accepted'), entry('a', 'Accepted')])).resolves.toEqual({
    status: 'Failed',
  });
  expect(await version()).toBe(2);
});

test('limits apply, and missing list support is reported', async () => {
  const { manager, station } = await bootPair({ configuration: { SendLocalListMaxLength: '1' } });
  const full = {
    updateType: 'Full',
    listVersion: 1,
    localAuthorizationList: [entry('A', 'Accepted'), entry('B', 'Accepted')],
  } as const;
  const request = { ...full, localAuthorizationList: [...full.localAuthorizationList] };
  await expect(manager.command('SendLocalList', request)).resolves.toEqual({ status: 'Failed' });
  station.configuration.set('SupportedFeatureProfiles', 'Core');
  await expect(manager.command('SendLocalList', request)).resolves.toEqual({ status: 'NotSupported' });
  await expect(manager.command('GetLocalListVersion', {})).resolves.toEqual({ listVersion: -1 });
});

test('offline the list precedes the cache', async () => {
  const { manager, station } = await bootPair();
  await station.authorize('A');
  await manager.command('SendLocalList', {
    updateType: 'Full',
    listVersion: 1,
    localAuthorizationList: [entry('A', 'Blocked')],
  });
  await station.goOffline();
  expect(await station.authorize('A')).toBe('Blocked');
});

test('with LocalPreAuthorize a known tag is not requested again until it expires', async () => {
  const { manager, station } = await bootPair({ configuration: { LocalPreAuthorize: 'true' } });
  const asked = () => manager.requests('Authorize').length;
  await station.authorize('A');
  await station.authorize('a');
  expect(asked()).toBe(1);
  const expiryDate = '2020-01-01T00:00:00Z';
  manager.answers.Authorize = () => ({ idTagInfo: { status: 'Accepted', expiryDate } });
  await station.authorize('B');
  await station.authorize('B');
  expect(asked()).toBe(3);
  station.configuration.set('AuthorizationCacheEnabled', 'false');
  await station.authorize('A');
  expect(asked()).toBe(4);
});
