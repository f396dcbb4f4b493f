import { expect, test } from '@jest/globals';
import type { IdTagInfo } from '@evander/ocpp';
import { Authorization } from '../src/authorization/authorization.ts';
import { LocalList } from '../src/authorization/local-list.ts';
import type { StationOptions } from '../src/index.ts';
import { PartContext } from './part-context.ts';

const NOW = Date.parse('2026-11-30T12:00:00Z');

function authorizationOf(configuration: StationOptions['configuration'] = {}) {
  const context = new PartContext({ configuration, now: () => NOW });
  const localList = new LocalList(context.configuration);
  const authorization = new Authorization(Object.assign(context, { localList }));
  const list = (idTag: string, idTagInfo: IdTagInfo) =>
    localList.update({
      listVersion: 1,
      updateType: 'Full',
      localAuthorizationList: [{ idTag, idTagInfo }],
    });
  return { context, authorization, list };
}

test('offline, a tag has the last status that the manager gave it, in any spelling', async () => {
  const { context, authorization } = authorizationOf();
  context.answer = () => ({ idTagInfo: { status: 'Blocked', parentIdTag: 'FLEET' } });
  expect(await authorization.authorize('Tag')).toBe('Blocked');
  context.isConnected = false;
  expect(await authorization.authorize('TAG')).toBe('Blocked');
  expect(authorization.parentOf('tag')).toBe('FLEET');
  expect(context.sent).toHaveLength(1);
});

test('when the call fails, the station decides as if it were offline', async () => {
  const { context, authorization, list } = authorizationOf();
  list('TAG', { status: 'Expired' });
  context.answer = () => {
    throw new Error('the manager is away');
  };
  expect(await authorization.authorize('TAG')).toBe('Expired');
});

test('with LocalPreAuthorize the manager is asked only about tags not known as Accepted', async () => {
  const { context, authorization, list } = authorizationOf({ LocalPreAuthorize: 'true' });
  context.answer = () => ({ idTagInfo: { status: 'Invalid' } });
  list('GOOD', { status: 'Accepted' });
  expect(await authorization.authorize('GOOD')).toBe('Accepted');
  authorization.learn('BLOCKED', { status: 'Blocked' });
  for (const idTag of ['BLOCKED', 'UNKNOWN']) expect(await authorization.authorize(idTag)).toBe('Invalid');
  expect(context.sent.map(({ request }) => request)).toEqual([{ idTag: 'BLOCKED' }, { idTag: 'UNKNOWN' }]);
});

test.each([
  ['before its expiry date a cached tag is known', {}, NOW + 1000, 'Accepted'],
  ['after its expiry date it is unknown', {}, NOW, 'Invalid'],
  ['without the cache it is unknown', { AuthorizationCacheEnabled: 'false' }, NOW + 1000, 'Invalid'],
  [
    'without LocalAuthorizeOffline every tag is Invalid',
    { LocalAuthorizeOffline: 'false' },
    NOW + 1000,
    'Invalid',
  ],
])('%s', (_name, configuration, expiryMs, status) => {
  const { authorization } = authorizationOf({ AllowOfflineTxForUnknownId: 'false', ...configuration });
  authorization.learn('TAG', { status: 'Accepted', expiryDate: new Date(expiryMs).toISOString() });
  expect(authorization.decideOffline('TAG')).toBe(status);
});

test('AllowOfflineTxForUnknownId lets an unknown tag charge', () => {
  const { authorization } = authorizationOf({ AllowOfflineTxForUnknownId: 'true' });
  expect(authorization.decideOffline('UNKNOWN')).toBe('Accepted');
});
