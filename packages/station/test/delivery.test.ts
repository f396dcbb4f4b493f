import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { refuse } from './manager.ts';
import { bootPair } from './setup.ts';

const session = { idTag: 'TAG', meterValues: 2, energyWh: 3000 };

for (const fault of ['dropSocketBeforeAnswer', 'dropSocketAtAnswer'] as const) {
  for (const action of ['StartTransaction', 'MeterValues', 'StopTransaction'] as const) {
    test(`${fault}: ${action} is repeated under the same id`, async () => {
      const { manager, station } = await bootPair();
      const usual = action === 'MeterValues' ? 4 : 1;
      station.faults.next(fault, action);
      await station.chargeSession(session);
      const ids = manager.ids(action);
      expect(new Set(ids).size).toBe(usual);
      // Cut before the answer, the manager may not have seen the first one.
      if (fault === 'dropSocketAtAnswer') expect(ids).toHaveLength(usual + 1);
      expect(station.ledger.sessions[0]?.stop?.acknowledged).toBe(true);
      expect(station.violations).toEqual([]);
    });
  }
}

test('startSentOnce: if its answer is lost, the session continues without an id', async () => {
  const { manager, station } = await bootPair({ quirks: { startSentOnce: true } });
  station.faults.next('dropSocketAtAnswer', 'StartTransaction');
  await station.chargeSession(session);
  expect(manager.ids('StartTransaction')).toHaveLength(1);
  const later = [...manager.requests('MeterValues'), ...manager.requests('StopTransaction')];
  expect(new Set(later.map(({ transactionId }) => transactionId))).toEqual(new Set([-1]));
  expect(station.ledger.sessions[0]).toMatchObject({
    transactionIds: [],
    discarded: ['StartTransaction'],
    stop: { acknowledged: true },
  });
});

test('repeatWithNewId: a repeat differs in nothing but its id', async () => {
  const { manager, station } = await bootPair({ faults: { repeatWithNewId: 1 } });
  station.faults.next('dropSocketAtAnswer', 'StopTransaction');
  await station.chargeSession(session);
  const ids = manager.ids('StopTransaction');
  const [first, second] = manager.requests('StopTransaction');
  expect(ids).toHaveLength(2);
  expect(ids[0]).not.toBe(ids[1]);
  expect(second).toEqual(first);
});

test('repeatAnswered: the ledger has every answer to a StartTransaction', async () => {
  const { manager, station } = await bootPair();
  station.faults.next('repeatAnsweredWithSameId', 'StartTransaction');
  station.faults.next('repeatAnsweredWithNewId', 'StartTransaction');
  const record = await station.chargeSession(session);
  const ids = manager.ids('StartTransaction');
  expect(ids).toHaveLength(3);
  expect(new Set(ids).size).toBe(2);
  // This manager is not idempotent, and the ledger shows it.
  expect(station.ledger.sessions[0]?.transactionIds).toEqual([1, 2, 3]);
  expect(record.transactionId).toBe(1);
});

test('an offline session is delivered in order with its own timestamps', async () => {
  const { manager, station } = await bootPair();
  await station.goOffline();
  const before = manager.calls.length;
  const charging = station.chargeSession(session);
  // The session runs without waiting for anything but its own promises: one macrotask later it is over.
  await new Promise((resolve) => setImmediate(resolve));
  const [held] = station.ledger.sessions;
  const isAcknowledged = () => [held?.stop, ...(held?.samples ?? [])].map((entry) => entry?.acknowledged);
  expect(new Set(isAcknowledged())).toEqual(new Set([false]));
  expect(station.queue.length).toBe(6);
  expect(manager.calls).toHaveLength(before);
  await station.goOnline();
  const record = await charging;
  expect(new Set(isAcknowledged())).toEqual(new Set([true]));
  const delivered = manager.calls.slice(before).filter(({ method }) => method !== 'StatusNotification');
  expect(delivered.map(({ method }) => method)).toEqual([
    'StartTransaction',
    ...Array<string>(4).fill('MeterValues'),
    'StopTransaction',
  ]);
  expect(manager.requests('StartTransaction')[0]?.timestamp).toBe(record.session?.startedAt);
  expect(manager.requests('MeterValues').map(({ transactionId }) => transactionId)).toEqual([1, 1, 1, 1]);
  expect(manager.requests('StopTransaction')[0]).toMatchObject({ transactionId: 1 });
});

test('goOffline: the whole session happens without the manager', async () => {
  const { manager, station } = await bootPair({ faults: { goOffline: 1 } });
  const record = await station.chargeSession(session);
  expect(manager.requests('Authorize')).toEqual([]);
  expect(record.transactionId).toBe(1);
});

test('reconnects automatically after a time offline', async () => {
  const { station } = await bootPair();
  const back = once(station, 'connected');
  await station.goOffline({ forMs: 5 });
  expect(station.isConnected).toBe(false);
  await back;
});

test('a refused message is retried and then discarded; later messages have -1', async () => {
  const { manager, station } = await bootPair();
  manager.answers.StartTransaction = () => {
    throw refuse('InternalError');
  };
  const record = await station.chargeSession(session);
  expect(manager.requests('StartTransaction')).toHaveLength(3);
  expect(new Set(manager.ids('StartTransaction')).size).toBe(1);
  expect(station.ledger.sessions[0]?.discarded).toEqual(['StartTransaction']);
  expect(manager.requests('StopTransaction')).toMatchObject([{ transactionId: -1 }]);
  expect(record.transactionId).toBeUndefined();
});

test('an unanswered message is sent again after the timeout', async () => {
  const { manager, station } = await bootPair({ answerTimeoutMs: 250 });
  let answers = 0;
  manager.answers.StopTransaction = () => (answers++ === 0 ? new Promise(() => {}) : {});
  await station.chargeSession(session);
  expect(manager.requests('StopTransaction')).toHaveLength(2);
});

test('a socket that drops as soon as it is open is replaced by only one socket', async () => {
  const { station } = await bootPair();
  const events: string[] = [];
  station.on('connected', () => events.push('connected'));
  station.on('disconnected', () => events.push('disconnected'));
  for (let drop = 0; drop < 5; drop++) station.faults.next('dropSocketBeforeAnswer', 'StartTransaction');
  await station.chargeSession(session);
  expect(events).toEqual(Array(5).fill(['disconnected', 'connected']).flat());
});

test('close() ends a session that waits for its delivery', async () => {
  const { station } = await bootPair();
  await station.goOffline();
  const charging = station.chargeSession(session);
  await station.close();
  await station.close();
  await expect(charging).rejects.toThrow('was closed');
});
