import { expect, test } from '@jest/globals';
import { bootPair } from './setup.ts';

const slow = { meterValues: 1, intervalMs: 3_600_000, energyWh: 1000 };
const soon = (ms: number): string => new Date(Date.now() + ms).toISOString();
const reservation = { connectorId: 1, reservationId: 7, idTag: 'TAG', expiryDate: soon(600_000) };

test('a reservation is shown, used by its tag, and named by the start', async () => {
  const { manager, station } = await bootPair();
  await expect(manager.command('ReserveNow', reservation)).resolves.toEqual({ status: 'Accepted' });
  await manager.until(() => manager.requests('StatusNotification').at(-1)?.status === 'Reserved');
  await expect(station.chargeSession({ idTag: 'OTHER', ...slow })).rejects.toThrow('Reserved');
  const session = station.chargeSession({ idTag: 'tag', ...slow });
  await manager.until(() => manager.requests('StartTransaction').length === 1);
  expect(manager.requests('StartTransaction')[0]).toMatchObject({ reservationId: 7 });
  expect(station.reservations.held).toEqual([]);
  await session;
});

test('a tag of the same group uses it too', async () => {
  const { manager, station } = await bootPair();
  manager.answers.Authorize = () => ({ idTagInfo: { status: 'Accepted', parentIdTag: 'GROUP' } });
  await station.authorize('OTHER');
  await manager.command('ReserveNow', { ...reservation, parentIdTag: 'group' });
  station.connector(1).start('OTHER');
  await station.queue.drained();
  expect(manager.requests('StartTransaction')[0]).toMatchObject({ reservationId: 7, idTag: 'OTHER' });
});

test('a reservation ends by time, by the manager, or by a fault', async () => {
  const { manager, station } = await bootPair();
  const last = (): string | undefined => manager.requests('StatusNotification').at(-1)?.status;
  await manager.command('ReserveNow', { ...reservation, expiryDate: soon(30) });
  await manager.until(() => last() === 'Reserved');
  await manager.until(() => last() === 'Available');

  await manager.command('ReserveNow', reservation);
  await manager.until(() => last() === 'Reserved');
  await expect(manager.command('CancelReservation', { reservationId: 7 })).resolves.toEqual({
    status: 'Accepted',
  });
  await manager.until(() => last() === 'Available');
  await expect(manager.command('CancelReservation', { reservationId: 7 })).resolves.toEqual({
    status: 'Rejected',
  });

  await manager.command('ReserveNow', reservation);
  await station.connector(1).setStatus('Faulted');
  expect(station.reservations.held).toEqual([]);
});

test('an impossible reservation is answered with the reason', async () => {
  const { manager, station } = await bootPair({ connectors: 2 });
  const reserve = (connectorId: number) => manager.command('ReserveNow', { ...reservation, connectorId });
  for (const [status, answer] of [
    ['Preparing', 'Occupied'],
    ['Faulted', 'Faulted'],
    ['Unavailable', 'Unavailable'],
  ] as const) {
    await station.connector(1).setStatus(status);
    await expect(reserve(1)).resolves.toEqual({ status: answer });
  }
  await expect(reserve(9)).resolves.toEqual({ status: 'Rejected' });
  await expect(reserve(0)).resolves.toEqual({ status: 'Accepted' });
  station.configuration.set('ReserveConnectorZeroSupported', 'false');
  await expect(reserve(0)).resolves.toEqual({ status: 'Rejected' });
  station.configuration.set('SupportedFeatureProfiles', 'Core');
  await expect(reserve(2)).rejects.toMatchObject({ rpcErrorCode: 'NotSupported' });
});

test('connector 0 keeps one connector free, without its own status, and is used by its tag', async () => {
  const { manager, station } = await bootPair({ connectors: 2 });
  await manager.command('ReserveNow', { ...reservation, connectorId: 0 });
  expect(station.connector(1).isFreeFor('OTHER')).toBe(true);
  await station.connector(1).setStatus('Charging');
  expect(station.connector(2).isFreeFor('OTHER')).toBe(false);
  expect(station.connector(2).isFreeFor('TAG')).toBe(true);
  station.connector(2).start('TAG');
  await station.queue.drained();
  expect(manager.requests('StartTransaction')[0]).toMatchObject({ connectorId: 2, reservationId: 7 });
  expect(manager.requests('StatusNotification').map(({ status }) => status)).not.toContain('Reserved');
});

test('a reservation outlives a restart', async () => {
  const { manager, station } = await bootPair();
  await manager.command('ReserveNow', reservation);
  await manager.until(() => manager.requests('StatusNotification').at(-1)?.status === 'Reserved');
  await station.powerCycle();
  expect(manager.requests('StatusNotification').at(-1)).toMatchObject({ connectorId: 1, status: 'Reserved' });
});
