import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { passwordHashes } from '../../src/stations/station-password.ts';
import * as stations from '../../src/stations/stations.store.ts';
import { openTestManager, PEPPER } from '../test-manager.ts';
import type { TestManager } from '../test-manager.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await openTestManager();
});
afterAll(() => manager.close());
beforeEach(() =>
  manager.rows(`WITH s AS (UPDATE stations SET password_hashes = '{}', security_profile = 0, configuration_read_at = NULL),
    p AS (DELETE FROM password_changes), k AS (DELETE FROM commands) DELETE FROM configuration_keys`),
);

const BOOT = { chargePointVendor: 'V', chargePointModel: 'M' };

const change = (key: string, value: string, status?: string) =>
  manager.command('ChangeConfiguration', { key, value }, status === undefined ? undefined : { status });

const kept = () =>
  manager.rows(
    'SELECT key, value, reboot_required AS "rebootRequired" FROM configuration_keys ORDER BY key_lower',
  );

/** Sends a change without an answer yet; returns its call. */
async function unanswered(key: string, value: string) {
  await change(key, value);
  const call = manager.sent().at(-1);
  if (!call) throw new Error('nothing was sent');
  await manager.rows("UPDATE commands SET status = 'timedOut' WHERE status = 'sent'");
  return call;
}

const OLD = 'ab'.repeat(16);
const NEW = 'Cd'.repeat(20);
const NEWER = 'ef'.repeat(18);
const hashes = (password: string): string[] => passwordHashes(password, 'CP1', PEPPER);
const setPassword = () => manager.rows('UPDATE stations SET password_hashes = $1', [hashes(OLD)]);
const good = async (): Promise<string[]> =>
  (await stations.credentials(manager.database, 'CP1'))?.passwordHashes.sort() ?? [];
const these = (...passwords: string[]): string[] => passwords.flatMap(hashes).sort();

test('ChangeConfiguration of AuthorizationKey: once accepted, it is the only valid password, in all its forms, and is shown nowhere', async () => {
  await setPassword();
  const command = await change('AUTHORIZATIONKEY', NEW, 'Accepted');
  expect(await good()).toEqual(these(NEW));
  expect(hashes(NEW)).toHaveLength(4);
  expect(await kept()).toEqual([{ key: 'AUTHORIZATIONKEY', value: null, rebootRequired: false }]);
  expect(command.request).toEqual({ key: 'AUTHORIZATIONKEY', value: '***' });
  await manager.idle();
  const everything = await manager.rows(
    `SELECT (SELECT json_agg(k) FROM commands k)::text || (SELECT json_agg(f) FROM frames f)::text
       || (SELECT json_agg(c) FROM configuration_keys c)::text AS text`,
  );
  expect(String(everything[0]?.text)).toContain('***');
  expect(String(everything[0]?.text).toLowerCase()).not.toContain(NEW.toLowerCase());
});

test('ChangeConfiguration of AuthorizationKey: if rejected or failed, nothing changes', async () => {
  await setPassword();
  for (const answer of [{ status: 'Rejected' }, { status: 'NotSupported' }, { error: 'InternalError' }]) {
    await manager.command('ChangeConfiguration', { key: 'AuthorizationKey', value: NEW }, answer);
    expect(await good()).toEqual(these(OLD));
  }
  expect(await kept()).toEqual([]);
});

test('ChangeConfiguration of AuthorizationKey: until it is answered, both passwords are valid, as the station may already use the new one', async () => {
  await setPassword();
  const call = await unanswered('AuthorizationKey', NEW);
  expect(await good()).toEqual(these(OLD, NEW));
  await manager.answer(call, { status: 'Accepted' });
  expect(await good()).toEqual(these(NEW));
});

test('ChangeConfiguration of AuthorizationKey: with RebootRequired both are valid until the boot, then only the new one', async () => {
  await setPassword();
  await change('AuthorizationKey', NEW, 'RebootRequired');
  expect(await good()).toEqual(these(OLD, NEW));
  await manager.ask('BootNotification', BOOT, { receivedAt: '2020-01-01T00:00:00.000Z' });
  expect(await good()).toEqual(these(OLD, NEW));
  await manager.ask('BootNotification', BOOT, { receivedAt: new Date(Date.now() + 1000).toISOString() });
  expect(await good()).toEqual(these(NEW));
  expect(await kept()).toMatchObject([{ rebootRequired: false }]);
  await manager.rows("UPDATE stations SET booted_at = now() - interval '1 minute'");
});

test('ChangeConfiguration of AuthorizationKey: the newer of two changes stays, however late the older one is answered', async () => {
  await setPassword();
  const late = await unanswered('AuthorizationKey', NEW);
  await change('AuthorizationKey', NEWER, 'Accepted');
  expect(await good()).toEqual(these(NEWER));
  await manager.answer(late, { status: 'Accepted' });
  expect(await good()).toEqual(these(NEWER));
});

test('ChangeConfiguration of AuthorizationKey: a change that expires before it is sent has no effect', async () => {
  await setPassword();
  await manager.rows('UPDATE connections SET disconnected_at = now()');
  const request = { key: 'AuthorizationKey', value: NEW };
  await manager.callMaker.request({
    stationId: 'CP1',
    action: 'ChangeConfiguration',
    request,
    ttlSeconds: 1,
  });
  expect(await good()).toEqual(these(OLD, NEW));
  manager.setNow(new Date(Date.now() + 5000));
  await manager.callMaker.sweep();
  manager.setNow(undefined);
  expect(await good()).toEqual(these(OLD));
  await manager.rows('UPDATE connections SET disconnected_at = NULL');
});
