import { expect, test } from '@jest/globals';
import { bootPair } from './setup.ts';

// Numbers 11 and 12 of the list of field quirks.
const session = { idTag: 'TAG', meterValues: 1, energyWh: 500 };

test.each(['Accepted', 'Rejected', 'Unavailable'] as const)(
  '11. ReserveNow on connector 0 is answered %s',
  async (status) => {
    // Its configuration says the opposite.
    const ReserveConnectorZeroSupported = String(status !== 'Accepted');
    const { manager } = await bootPair({
      quirks: { reserveZero: status },
      configuration: { ReserveConnectorZeroSupported },
    });
    const expiryDate = new Date(Date.now() + 3_600_000).toISOString();
    const reservation = { connectorId: 0, idTag: 'TAG', reservationId: 1, expiryDate };
    await expect(manager.command('ReserveNow', reservation)).resolves.toEqual({ status });
  },
);

test.each([
  ['Accepted', 'Available'],
  ['UnavailableAtOnce', 'Unavailable'],
] as const)(
  '11. ChangeAvailability in mid-transaction (%s) is Accepted, and the connector then %s',
  async (availabilityInTransaction, status) => {
    const { manager, station } = await bootPair({ quirks: { availabilityInTransaction } });
    const running = station.connector(1).start('TAG');
    await running.answered;
    const change = { connectorId: 1, type: 'Inoperative' } as const;
    await expect(manager.command('ChangeAvailability', change)).resolves.toEqual({ status: 'Accepted' });
    await station.call('Heartbeat', {});
    expect(station.connector(1).session).toBe(running);
    expect(manager.requests('StatusNotification').at(-1)).toMatchObject({ connectorId: 1, status });
  },
);

test('12. StartTransaction comes before the status Preparing', async () => {
  const { manager, station } = await bootPair({ quirks: { startBeforePreparing: true } });
  await station.chargeSession(session);
  const steps = manager.calls.map(({ method, params }) => (params as { status?: string }).status ?? method);
  expect(steps).toContain('Preparing');
  expect(steps.indexOf('StartTransaction')).toBeLessThan(steps.indexOf('Preparing'));
});

test('12. Preparing and Finishing are never sent, nor a status of connector 0', async () => {
  const { manager, station } = await bootPair({
    quirks: { missingStatuses: ['Preparing', 'Finishing'], noConnectorZero: true },
  });
  await station.chargeSession(session);
  const sent = manager.requests('StatusNotification');
  expect(sent.map(({ connectorId }) => connectorId)).not.toContain(0);
  expect(sent.map(({ status }) => status)).toEqual(['Available', 'Charging', 'SuspendedEV', 'Available']);
});

test('12. BootNotification has empty strings', async () => {
  const { manager } = await bootPair({ quirks: { emptyStrings: true } });
  expect(manager.requests('BootNotification')).toMatchObject([{ iccid: '', imsi: '' }]);
});

test('12. MeterValues during a transaction have no transactionId', async () => {
  const { manager, station } = await bootPair({ quirks: { metersWithoutTransaction: true } });
  await station.chargeSession(session);
  const samples = manager.requests('MeterValues');
  expect(samples.length).toBeGreaterThan(0);
  for (const sample of samples) expect(sample).not.toHaveProperty('transactionId');
});
