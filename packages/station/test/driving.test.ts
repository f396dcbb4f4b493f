import { expect, test } from '@jest/globals';
import type { StopReason } from '../src/index.ts';
import { bootPair } from './setup.ts';

test('a power failure: boot, statuses, and then the end of the transaction', async () => {
  const { manager, station } = await bootPair();
  await station.connector(1).start('TAG').answered;
  const seen = manager.calls.length;
  await station.powerCycle();
  await station.queue.drained();
  const steps = manager.calls.slice(seen).map(({ method }) => method);
  expect(steps.indexOf('BootNotification')).toBeLessThan(steps.indexOf('StatusNotification'));
  expect(steps.indexOf('StatusNotification')).toBeLessThan(steps.indexOf('StopTransaction'));
  expect(manager.requests('StopTransaction')).toMatchObject([{ reason: 'PowerLoss' }]);
  expect(manager.requests('StatusNotification').at(-1)).toMatchObject({
    connectorId: 1,
    status: 'Available',
  });
});

test('a status comes with any errorCode and words of its own', async () => {
  const { manager, station } = await bootPair();
  await station.connector(1).setStatus('Faulted', { errorCode: 'GroundFailure', info: 'wet' });
  expect(manager.requests('StatusNotification').at(-1)).toMatchObject({
    status: 'Faulted',
    errorCode: 'GroundFailure',
    info: 'wet',
  });
  await station.connector(1).setStatus('Available');
  const last = manager.requests('StatusNotification').at(-1);
  expect(last).toMatchObject({ status: 'Available', errorCode: 'NoError' });
  expect(last).not.toHaveProperty('info');
});

test('a session that starts and stops offline, by two tags, is told later', async () => {
  const { manager, station } = await bootPair();
  await station.goOffline();
  station.connector(1).start('TAG1');
  station.connector(1).stop('Other', { idTag: 'TAG2' });
  await station.goOnline();
  await station.queue.drained();
  expect(manager.requests('StartTransaction')).toMatchObject([{ idTag: 'TAG1' }]);
  expect(manager.requests('StopTransaction')).toMatchObject([{ idTag: 'TAG2', reason: 'Other' }]);
});

test.each<StopReason>(['DeAuthorized', 'EmergencyStop', 'EVDisconnected', 'Reboot'])(
  'a session ends with the reason %s',
  async (reason) => {
    const { manager, station } = await bootPair();
    await station.chargeSession({ idTag: 'TAG', meterValues: 1, energyWh: 500, reason });
    expect(manager.requests('StopTransaction')).toMatchObject([{ reason }]);
  },
);
