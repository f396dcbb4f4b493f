import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { CallRefused, ConnectionClosed, malformedFrames } from '../src/index.ts';
import { refuse } from './manager.ts';
import { bootPair } from './setup.ts';

test('a call rejects with the code of the CALLERROR, or because the socket is closed', async () => {
  const { manager, station } = await bootPair();
  manager.answers.Heartbeat = () => {
    throw refuse('SecurityError');
  };
  await expect(station.call('Heartbeat', {})).rejects.toMatchObject({
    name: 'CallRefused',
    code: 'SecurityError',
  });
  await expect(station.call('Heartbeat', {})).rejects.toBeInstanceOf(CallRefused);
  station.faults.dropBeforeNextAnswer('Heartbeat');
  await expect(station.call('Heartbeat', {})).rejects.toBeInstanceOf(ConnectionClosed);
  await expect(station.call('Heartbeat', {})).rejects.toBeInstanceOf(ConnectionClosed);
});

test('calls wait for each other', async () => {
  const { manager, station } = await bootPair();
  let open = 0;
  let most = 0;
  manager.answers.Heartbeat = async () => {
    most = Math.max(most, ++open);
    await new Promise((resolve) => setImmediate(resolve));
    open--;
    return { currentTime: new Date().toISOString() };
  };
  await Promise.all(Array.from({ length: 10 }, () => station.call('Heartbeat', {})));
  expect(most).toBe(1);
  expect(manager.requests('Heartbeat')).toHaveLength(10);
});

test('a response against its schema is a violation', async () => {
  const { station, manager } = await bootPair();
  const received = once(station, 'received');
  manager.client?.sendRaw('[2,"x2","Reset",{"type":"Gentle"}]');
  await received;
  manager.client?.sendRaw('nonsense');
  await once(station, 'violation');
  expect(station.violations).toMatchObject([
    { kind: 'request', action: 'Reset' },
    { kind: 'frame', text: 'nonsense' },
  ]);
});

test('leaveCommandUnanswered and dropSocketAtCommand work', async () => {
  const { manager, station } = await bootPair();
  station.faults.next('leaveCommandUnanswered', 'ClearCache');
  const silent = manager.command('ClearCache', {});
  const outcome = expect(silent).rejects.toThrow();
  await once(station, 'received');
  const dropped = once(station, 'disconnected');
  station.faults.next('dropSocketAtCommand');
  manager.client?.sendRaw('[2,"x3","Reset",{"type":"Soft"}]');
  await dropped;
  await outcome;
});

for (const frame of malformedFrames) {
  test(`malformed frame ${frame.name} is written, and the station goes on`, async () => {
    const { manager, station } = await bootPair();
    await station.sendRaw(frame.data);
    if (!station.isConnected) await once(station, 'connected');
    await station.call('Heartbeat', {}).catch(() => once(station, 'connected'));
    await station.chargeSession({ idTag: 'TAG', meterValues: 1, energyWh: 500 });
    expect(manager.requests('StopTransaction')).toHaveLength(1);
  });
}

test('sendMalformedFrame: a session with malformed frames is still delivered', async () => {
  const { manager, station } = await bootPair({ faults: { sendMalformedFrame: 1 } });
  await station.chargeSession({ idTag: 'TAG', meterValues: 10, energyWh: 5000 });
  expect(manager.requests('StopTransaction')).toHaveLength(1);
});
