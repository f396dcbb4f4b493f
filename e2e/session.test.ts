import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { RPCClient } from 'ocpp-rpc';
import { eventually, System } from './system.ts';

const system = new System({ name: 'session' });
beforeAll(async () => {
  await system.start();
  await system.api('PUT', '/tags/TAG1', {});
});
afterAll(() => system.close());

function foreignStation(identity: string): RPCClient {
  const all = { endpoint: system.url, identity, protocols: ['ocpp1.6'], strictMode: true, reconnect: false };
  return new RPCClient(all as unknown as ConstructorParameters<typeof RPCClient>[0]);
}

test('a third-party station charges and receives commands, and the API shows it', async () => {
  const station = foreignStation('FOREIGN');
  station.handle('ClearCache', async () => ({ status: 'Accepted' }));
  await station.connect();
  const boot = await station.call('BootNotification', { chargePointVendor: 'V', chargePointModel: 'M' });
  expect(boot).toMatchObject({ status: 'Accepted' });
  const start = { connectorId: 1, idTag: 'TAG1', meterStart: 0, timestamp: '2026-11-20T10:00:00Z' };
  const { transactionId } = (await station.call('StartTransaction', start)) as { transactionId: number };
  await station.call('StopTransaction', {
    transactionId,
    meterStop: 7500,
    timestamp: '2026-11-20T11:00:00Z',
  });
  for (const manager of [0, 1]) {
    await eventually(async () => {
      expect(await system.api('POST', '/stations/FOREIGN/commands/ClearCache', {}, manager)).toMatchObject({
        status: 'answered',
        response: { status: 'Accepted' },
      });
    });
    expect(await system.api('GET', `/transactions/${transactionId}`, undefined, manager)).toMatchObject({
      energyWh: 7500,
    });
  }
  await station.close();
});

test('the containers run without privileges and exit on their own when asked to', async () => {
  for (const part of [system.gateways[1], system.managers[1]]) {
    if (!part) throw new Error('there is no second one');
    expect((await part.exec(['id', '-u'])).trim()).toBe('1000');
    expect(await part.stop()).toBe(0);
    await part.start();
    await system.ready(part);
  }
});
