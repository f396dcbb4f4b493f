import type { CommandAction } from '@evander/ocpp';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { RuleViolation } from '../../src/commands/command.ts';
import { COMMANDS } from '../../src/messages/v16/index.ts';
import { openTestManager } from '../test-manager.ts';
import type { TestManager } from '../test-manager.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await openTestManager();
});
afterAll(() => manager.close());
beforeEach(async () => {
  await manager.rows('TRUNCATE commands');
  manager.setNow(undefined);
});

const MINUTE = 60_000;

function later(ms: number): Date {
  return new Date(Date.now() + ms);
}

async function statuses(): Promise<unknown[]> {
  return (await manager.rows('SELECT status FROM commands ORDER BY sequence')).map(({ status }) => status);
}

test('a command is recorded, sent, answered and completed once', async () => {
  const command = await manager.command('ClearCache', {}, { status: 'Accepted' });
  expect(command).toMatchObject({
    stationId: 'CP1',
    action: 'ClearCache',
    status: 'answered',
    response: { status: 'Accepted' },
    error: null,
    sentAt: expect.any(Date) as unknown,
    completedAt: expect.any(Date) as unknown,
  });
  expect(manager.completed).toContain(`CP1 ${command.commandId}`);
  const call = manager.sent().at(-1);
  expect(call).toMatchObject({ type: 2, id: command.commandId, action: 'ClearCache', request: {} });
  // The gateway redelivers what was not acknowledged: nothing changes, and it is acknowledged again.
  if (call) await manager.answer(call, { status: 'Rejected' });
  expect(await manager.rows('SELECT response FROM commands')).toEqual([{ response: { status: 'Accepted' } }]);
  expect(manager.completed.filter((one) => one === `CP1 ${command.commandId}`)).toHaveLength(2);
});

test('a CALLERROR makes the command failed, with code and description', async () => {
  expect(await manager.command('ClearCache', {}, { error: 'NotSupported' })).toMatchObject({
    status: 'failed',
    response: null,
    error: { code: 'NotSupported', description: 'no' },
  });
});

test('an unreadable answer makes the command failed, and is stored', async () => {
  expect(await manager.command('GetLocalListVersion', {}, { version: 'many' })).toMatchObject({
    status: 'failed',
    response: { version: 'many' },
    error: { code: 'FormationViolation', description: expect.stringContaining('listVersion') as unknown },
  });
});

test('commands for one station are sent one at a time, in order', async () => {
  const before = manager.sent().length;
  const ids: string[] = [];
  for (const type of ['Soft', 'Hard', 'Soft'])
    ids.push(await manager.callMaker.request({ stationId: 'CP1', action: 'Reset', request: { type } }));
  for (let turn = 0; turn < 3; turn++) {
    const sent = manager.sent().slice(before);
    expect(sent.map(({ id }) => id)).toEqual(ids.slice(0, turn + 1));
    const last = sent.at(-1);
    if (last) await manager.answer(last, { status: 'Accepted' });
  }
  expect(await statuses()).toEqual(['answered', 'answered', 'answered']);
});

test('of twenty concurrent requests one command is sent, and each answer sends the next', async () => {
  const before = manager.sent().length;
  await Promise.all(
    Array.from({ length: 20 }, () =>
      manager.callMaker.request({ stationId: 'CP1', action: 'ClearCache', request: {} }),
    ),
  );
  for (let turn = 1; turn <= 20; turn++) {
    const sent = manager.sent().slice(before);
    expect(sent).toHaveLength(turn);
    const last = sent.at(-1);
    if (last) await manager.answer(last, { status: 'Accepted' });
  }
});

test('an unanswered command times out, the next is sent, and a late answer still counts', async () => {
  const before = manager.sent().length;
  await manager.command('ClearCache', {});
  await manager.command('Reset', { type: 'Soft' });
  manager.setNow(later(MINUTE));
  await manager.callMaker.sweep();
  expect(await statuses()).toEqual(['timedOut', 'sent']);
  expect(manager.completed.at(-1)).toMatch(/^CP1 .* gave up$/);
  const [first, second] = manager.sent().slice(before);
  expect(second?.action).toBe('Reset');
  if (first) await manager.answer(first, { status: 'Accepted' });
  expect(await statuses()).toEqual(['answered', 'sent']);
});

test('a command that may be lost is published again under the same id', async () => {
  const { commandId } = await manager.command('Reset', { type: 'Soft' });
  const times = (): number => manager.sent().filter(({ id }) => id === commandId).length;
  await manager.callMaker.sweep();
  expect(times()).toBe(1);
  manager.setNow(later(5000));
  await manager.callMaker.sweep();
  expect(times()).toBe(2);
});

const ACTIONS = Object.keys(COMMANDS) as CommandAction[];
const ONCE = ACTIONS.filter((action) => !COMMANDS[action].repeatable);

/** Sends a command without its rules; resolves with its id. */
async function sendAny(action: CommandAction): Promise<string> {
  const [row] = await manager.rows(
    `INSERT INTO commands (command_id, station_id, action, request, expires_at)
     VALUES (gen_random_uuid(), 'CP1', $1, '{}', now() + interval '1 minute') RETURNING command_id`,
    [action],
  );
  await manager.callMaker.sweep();
  return String(row?.command_id);
}

/** The connections that the publications of a command name, in order. */
function connectionsOf(commandId: string): unknown[] {
  return manager
    .sent()
    .filter(({ id }) => id === commandId)
    .map(({ connection_id: named }) => named);
}

async function reconnect(columns: string): Promise<void> {
  await manager.rows(`UPDATE connections SET ${columns} WHERE station_id = 'CP1'`);
}

describe('on a new connection', () => {
  afterEach(() => reconnect("connection_id = 'c1', disconnected_at = NULL"));

  test('some commands may be repeated, and some must not', () => {
    expect(ONCE).toEqual(expect.arrayContaining(['Reset', 'RemoteStartTransaction', 'UnlockConnector']));
    expect(ONCE.length).toBeLessThan(ACTIONS.length);
  });

  test.each(ONCE)('%s always names its connection, and is lost with it', async (action) => {
    const commandId = await sendAny(action);
    // The station has reconnected, which is not recorded yet: its gateway drops commands that name the previous connection.
    manager.setNow(later(5000));
    await manager.callMaker.sweep();
    expect(connectionsOf(commandId)).toEqual(['c1', 'c1']);
    await reconnect("connection_id = 'c2'");
    manager.setNow(later(10_000));
    await manager.callMaker.sweep();
    await manager.callMaker.sweep();
    expect(connectionsOf(commandId)).toEqual(['c1', 'c1']);
    expect(await statuses()).toEqual(['connectionLost']);
    expect(manager.completed).toContain(`CP1 ${commandId} gave up`);
  });

  test.each(ACTIONS.filter((action) => COMMANDS[action].repeatable))(
    '%s goes out again, on whichever connection the station has',
    async (action) => {
      const commandId = await sendAny(action);
      await reconnect("connection_id = 'c2'");
      manager.setNow(later(5000));
      await manager.callMaker.sweep();
      expect(connectionsOf(commandId)).toEqual([undefined, undefined]);
      expect(await statuses()).toEqual(['sent']);
    },
  );

  test('the next command is sent immediately, and a late answer still counts', async () => {
    const before = manager.sent().length;
    await manager.command('Reset', { type: 'Soft' });
    const next = await manager.command('ClearCache', {});
    await reconnect("connection_id = 'c2'");
    await manager.callMaker.sweep();
    expect(await statuses()).toEqual(['connectionLost', 'sent']);
    const [reset, clearCache] = manager.sent().slice(before);
    expect(clearCache?.id).toBe(next.commandId);
    if (reset) await manager.answer(reset, { status: 'Accepted' });
    expect(await statuses()).toEqual(['answered', 'sent']);
  });

  test('commands on an ended connection are lost after a short delay, in which the answer may arrive', async () => {
    await manager.command('Reset', { type: 'Soft' });
    await reconnect('disconnected_at = now()');
    await manager.callMaker.sweep();
    expect(await statuses()).toEqual(['sent']);
    manager.setNow(later(5000));
    await manager.callMaker.sweep();
    expect(await statuses()).toEqual(['connectionLost']);
  });

  test('an event reports it', async () => {
    await manager.rows('TRUNCATE event_intake');
    const { commandId } = await manager.command('Reset', { type: 'Soft' });
    await reconnect("connection_id = 'c2'");
    await manager.callMaker.sweep();
    expect(
      await manager.rows(
        "SELECT data ->> 'status' AS status FROM event_intake WHERE data ->> 'commandId' = $1",
        [commandId],
      ),
    ).toEqual([{ status: 'connectionLost' }]);
  });
});

test('every command announces that its answer will be acknowledged', async () => {
  await manager.command('ClearCache', {});
  expect(manager.sent().at(-1)).toMatchObject({ ack: true });
});

test('a recorded command is accepted even if it cannot be sent immediately', async () => {
  await manager.rows(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'gone' USING ERRCODE = '57P01'; END $$`);
  await manager.rows(
    'CREATE TRIGGER refuse BEFORE UPDATE ON commands FOR EACH ROW EXECUTE FUNCTION refuse()',
  );
  const commandId = await manager.callMaker.request({ stationId: 'CP1', action: 'ClearCache', request: {} });
  await manager.rows('DROP TRIGGER refuse ON commands');
  expect(await statuses()).toEqual(['queued']);
  await manager.callMaker.sweep();
  expect(manager.sent().at(-1)?.id).toBe(commandId);
});

test('a command whose id is already recorded is not recorded again', async () => {
  const call = { stationId: 'CP1', action: 'ClearCache', request: {} } as const;
  const commandId = await manager.callMaker.request(call);
  const before = manager.sent().length;
  expect(await manager.callMaker.request({ ...call, commandId })).toBe(commandId);
  expect(await manager.callMaker.send({ ...call, commandId }, 0)).toMatchObject({
    commandId,
    status: 'sent',
  });
  expect(await statuses()).toEqual(['sent']);
  expect(manager.sent()).toHaveLength(before);
});

test('commands that a dead manager left are sent by another', async () => {
  // The command was recorded, but the manager was killed before it sent it.
  await manager.rows(
    `INSERT INTO commands (command_id, station_id, action, request, expires_at)
     VALUES ('00000000-0000-0000-0000-000000000001', 'CP1', 'ClearCache', '{}', now() + interval '1 minute')`,
  );
  await manager.callMaker.sweep();
  expect(manager.sent().at(-1)).toMatchObject({ id: '00000000-0000-0000-0000-000000000001' });
});

test('a command for an absent station is refused, or waits', async () => {
  await manager.rows('UPDATE connections SET disconnected_at = now()');
  const call = { stationId: 'CP1', action: 'ClearCache', request: {} } as const;
  await expect(manager.callMaker.request(call)).rejects.toMatchObject({ why: 'notConnected' });
  const waits = await manager.callMaker.request({ ...call, ttlSeconds: 600 });
  const gone = await manager.callMaker.request({ ...call, ttlSeconds: 1 });
  manager.setNow(later(5000));
  await manager.callMaker.sweep();
  expect(await statuses()).toEqual(['queued', 'expired']);
  expect(manager.completed).toContain(`CP1 ${gone} gave up`);
  await manager.rows('UPDATE connections SET disconnected_at = NULL');
  await manager.callMaker.sweep();
  expect(manager.sent().at(-1)?.id).toBe(waits);
});

test('a station that connects after the time to live does not get the command', async () => {
  await manager.rows('UPDATE connections SET disconnected_at = now()');
  await manager.callMaker.request({ stationId: 'CP1', action: 'ClearCache', request: {}, ttlSeconds: 1 });
  const before = manager.sent().length;
  await manager.rows(
    "UPDATE connections SET disconnected_at = NULL, connected_at = now() + interval '3 seconds'",
  );
  manager.setNow(later(8000));
  await manager.callMaker.sweep();
  expect(await statuses()).toEqual(['expired']);
  expect(manager.sent()).toHaveLength(before);
  await manager.rows("UPDATE connections SET connected_at = now() - interval '1 hour'");
});

test('a request that waits is woken, whichever manager completes the command', async () => {
  const { commandId } = await manager.command('ClearCache', {});
  const waiting = manager.callMaker.outcome(commandId, 20_000);
  const call = manager.sent().at(-1);
  if (call) await manager.answer(call, { status: 'Accepted' });
  expect(await waiting).toMatchObject({ status: 'answered' });
  expect(await manager.callMaker.outcome('00000000-0000-0000-0000-00000000dead', 0)).toBeUndefined();
});

test('a request must match its schema and the rules', async () => {
  const send = (action: 'Reset' | 'UnlockConnector', request: object, skipRules = false) =>
    manager.callMaker.request({ stationId: 'CP1', action, request, skipRules });
  await expect(send('Reset', { type: 'Medium' })).rejects.toThrow('type');
  await expect(send('UnlockConnector', { connectorId: 0 })).rejects.toBeInstanceOf(RuleViolation);
  await send('UnlockConnector', { connectorId: 0 }, true);
  expect(manager.sent().at(-1)).toMatchObject({ action: 'UnlockConnector', request: { connectorId: 0 } });
});

test('a rejected station is sent nothing, and a station is not sent commands of features that it lacks', async () => {
  await manager.rows("UPDATE stations SET registration_status = 'Rejected'");
  await expect(manager.command('ClearCache', {})).rejects.toMatchObject({ rule: 'Boot.5' });
  await manager.rows("UPDATE stations SET registration_status = 'Accepted'");
  await manager.rows(
    `INSERT INTO configuration_keys (station_id, key_lower, key, value, read_at)
     VALUES ('CP1', 'supportedfeatureprofiles', 'SupportedFeatureProfiles', 'Core, remotetrigger', now())`,
  );
  await expect(manager.command('GetLocalListVersion', {})).rejects.toMatchObject({ rule: 'G.13' });
  await manager.command('TriggerMessage', { requestedMessage: 'Heartbeat' });
  await manager.rows('TRUNCATE configuration_keys');
});

test('a secret is sealed while it is needed, and never shown', async () => {
  const value = '0001020304050607FFFFFFFFFFFFFFFFFFFFFFFF';
  const command = await manager.command('ChangeConfiguration', { key: 'AuthorizationKey', value });
  expect(command.request).toEqual({ key: 'AuthorizationKey', value: '***' });
  expect(manager.sent().at(-1)?.request).toEqual({ key: 'AuthorizationKey', value });
  await manager.idle();
  const stored = JSON.stringify([
    await manager.rows("SELECT to_json(k), encode(sealed_request, 'escape') AS sealed FROM commands k"),
    await manager.rows("SELECT to_json(f) FROM frames f WHERE action = 'ChangeConfiguration'"),
  ]);
  expect(stored).toContain('***');
  expect(stored.toLowerCase()).not.toContain(value.toLowerCase());
  const call = manager.sent().at(-1);
  if (call) await manager.answer(call, { status: 'Rejected' });
  expect(await manager.rows('SELECT sealed_request FROM commands')).toEqual([{ sealed_request: null }]);
});

test('at most 100 commands wait for a station', async () => {
  await manager.rows(
    `INSERT INTO commands (command_id, station_id, action, request, expires_at)
     SELECT gen_random_uuid(), 'CP1', 'ClearCache', '{}', now() + interval '1 minute' FROM generate_series(1, 100)`,
  );
  await expect(manager.command('ClearCache', {})).rejects.toMatchObject({ why: 'tooMany' });
});
