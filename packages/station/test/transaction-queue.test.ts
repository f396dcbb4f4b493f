import { expect, test } from '@jest/globals';
import { TransactionQueue, type TransactionMessage } from '../src/charging/transaction-queue.ts';
import { CallRefused, CallTimedOut, ConnectionClosed } from '../src/index.ts';
import { PartContext } from './part-context.ts';

const CONFIGURATION = { TransactionMessageAttempts: '2', TransactionMessageRetryInterval: '0' };
const STOP = { transactionId: 1, meterStop: 0, timestamp: '2026-11-30T12:00:00Z' };

function stop(meterStop: number, log: string[]): TransactionMessage<'StopTransaction'> {
  return {
    action: 'StopTransaction',
    request: () => ({ ...STOP, meterStop }),
    onAnswer: () => log.push(`${meterStop} answered`),
    onDiscard: () => log.push(`${meterStop} discarded`),
  };
}

/** Each call fails with the next error; once none is left, calls succeed. */
function failing(context: PartContext, errors: (Error | undefined)[]): void {
  context.answer = () => {
    const error = errors.shift();
    if (error) throw error;
    return {};
  };
}

test('messages are sent one by one and in order; each request is built when it is sent', async () => {
  const context = new PartContext();
  const queue = new TransactionQueue(context);
  let transactionId = -1;
  context.answer = () => ({ transactionId: 7, idTagInfo: { status: 'Accepted' } });
  const start = { connectorId: 1, idTag: 'TAG', meterStart: 0, timestamp: STOP.timestamp };
  queue.add({
    action: 'StartTransaction',
    request: () => start,
    onAnswer: (answer) => (transactionId = answer.transactionId),
    onDiscard: () => {},
  });
  queue.add({ ...stop(5, []), request: () => ({ ...STOP, transactionId, meterStop: 5 }) });
  expect(context.sent).toHaveLength(1);
  await queue.drained();
  expect(context.sent.map(({ request }) => request)).toEqual([
    start,
    { ...STOP, transactionId: 7, meterStop: 5 },
  ]);
});

test('a message that is refused TransactionMessageAttempts times is discarded, and the next is sent', async () => {
  const context = new PartContext({ configuration: CONFIGURATION });
  const queue = new TransactionQueue(context);
  const log: string[] = [];
  failing(context, [new CallRefused('InternalError', ''), new CallRefused('InternalError', '')]);
  queue.add(stop(1, log));
  queue.add(stop(2, log));
  await queue.drained();
  expect(log).toEqual(['1 discarded', '2 answered']);
});

test('a message that is not answered in time is resent with the same id until it is answered', async () => {
  const context = new PartContext({ configuration: CONFIGURATION });
  const queue = new TransactionQueue(context);
  const log: string[] = [];
  const late = () => new CallTimedOut('StopTransaction', 1);
  failing(context, [late(), late(), late(), late()]);
  queue.add(stop(1, log));
  await queue.drained();
  expect(log).toEqual(['1 answered']);
  expect(context.sent).toHaveLength(5);
  expect(new Set(context.sent.map(({ id }) => id)).size).toBe(1);
});

test('a message whose connection is lost is resent as soon as the station has reconnected, as the same attempt', async () => {
  const context = new PartContext({
    configuration: { TransactionMessageAttempts: '1', TransactionMessageRetryInterval: '60' },
  });
  const queue = new TransactionQueue(context);
  const log: string[] = [];
  context.answer = () => {
    context.isConnected = false;
    throw new ConnectionClosed('StopTransaction');
  };
  queue.add(stop(1, log));
  await new Promise(setImmediate);
  queue.deliver();
  expect(context.sent).toHaveLength(1);
  failing(context, []);
  context.isConnected = true;
  queue.deliver();
  await queue.drained();
  expect(log).toEqual(['1 answered']);
});
