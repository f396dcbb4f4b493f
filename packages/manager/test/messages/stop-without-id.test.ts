import { afterAll, beforeAll, expect, test } from '@jest/globals';
import * as stations from '../../src/stations/stations.store.ts';
import { addTag, openTestManager } from '../test-manager.ts';
import type { TestManager } from '../test-manager.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await openTestManager();
  await addTag(manager, 'GOOD', { parent_id_tag: 'FLEET' });
  await addTag(manager, 'MATE', { parent_id_tag: 'fleet' });
  await addTag(manager, 'OTHER');
});
afterAll(() => manager.close());

/** Times, ten seconds apart. */
const at = (step: number): string => new Date(Date.UTC(2026, 10, 20, 10, 0, 10 * step)).toISOString();

/** Ids that stations send if they never received one. */
const WITHOUT_ID = [-1, 0, -77];

/** A station that sends a message every ten seconds. */
class Station {
  static #count = 0;
  readonly id = `S${++Station.#count}`;
  /** A tag that is limited to one transaction at a time. */
  readonly soleTag = `SOLE${this.id}`;
  readonly #withoutId: number;
  #step = 0;

  private constructor(withoutId: number) {
    this.#withoutId = withoutId;
  }

  static async open(withoutId = -1): Promise<Station> {
    const station = new Station(withoutId);
    await stations.addUnknown(manager.database, [station.id]);
    await addTag(manager, station.soleTag, { concurrent_transaction_limit: 1 });
    await station.ask('BootNotification', { chargePointVendor: 'Vendor', chargePointModel: 'Model' });
    return station;
  }

  ask(action: string, request: object) {
    return manager.ask(action, request, { stationId: this.id });
  }

  async start(connectorId: number, meterStart: number, more: object = {}): Promise<number> {
    const request = { connectorId, idTag: 'GOOD', meterStart, timestamp: at(++this.#step), ...more };
    return ((await this.ask('StartTransaction', request)).response as { transactionId: number })
      .transactionId;
  }

  /** With -1 for an id: as the station sends it. */
  sample(connectorId: number, id: number, value: number, more: object = {}) {
    const sampledValue = [{ value: String(value), ...more }];
    const meterValue = [{ timestamp: at(++this.#step), sampledValue }];
    const transactionId = id === -1 ? this.#withoutId : id;
    return this.ask('MeterValues', { connectorId, transactionId, meterValue });
  }

  status(connectorId: number, status: string) {
    const timestamp = at(++this.#step);
    return this.ask('StatusNotification', { connectorId, status, errorCode: 'NoError', timestamp });
  }

  /** With -1 for an id: as the station sends it. Each stop comes twice and is answered the same. */
  async stop(id: number, meterStop: number, more: object = {}): Promise<void> {
    const transactionId = id === -1 ? this.#withoutId : id;
    const request = { transactionId, meterStop, timestamp: at(++this.#step), ...more };
    const answer = await this.ask('StopTransaction', request);
    expect(answer).toEqual({ response: expect.any(Object) as unknown });
    expect(await this.ask('StopTransaction', request)).toEqual(answer);
  }

  /** For each transaction in the order of the starts: its energy, or its state if it has not ended; `inferred` if its stop is. */
  async sessions(): Promise<unknown[]> {
    const rows = await manager.rows(
      'SELECT * FROM transactions WHERE station_id = $1 ORDER BY transaction_id',
      [this.id],
    );
    return rows.map(({ state, energy_wh, flags }) => {
      const energy = state === 'stopped' ? energy_wh : state;
      return (flags as string[]).includes('stopInferred') ? `${String(energy)} inferred` : energy;
    });
  }

  async unmatched(): Promise<unknown[]> {
    const rows = await manager.rows(
      "SELECT meter_stop_wh, why FROM unmatched_stops WHERE station_id = $1 AND state = 'open' ORDER BY 1",
      [this.id],
    );
    return rows.map(({ meter_stop_wh, why }) => `${String(meter_stop_wh)} ${String(why)}`);
  }
}

const CASES: Record<
  string,
  { run(station: Station): Promise<unknown>; sessions: unknown[]; unmatched?: unknown[] }
> = {
  'a: ends no transaction if the ids of all were used; a later stop by its id counts': {
    async run(s) {
      await s.sample(1, await s.start(1, 1000), 5000);
      const second = await s.start(2, 50_000);
      await s.sample(2, second, 51_000);
      await s.stop(-1, 5100);
      await s.stop(second, 53_000);
    },
    sessions: ['open', 3000],
    unmatched: ['5100 unknownTransaction'],
  },
  'b: ends the transaction whose id was never used': {
    async run(s) {
      await s.start(2, 500);
      const first = await s.start(1, 100_000);
      await s.sample(1, first, 101_000);
      await s.stop(-1, 2500);
      await s.stop(first, 105_000);
    },
    sessions: ['2000 inferred', 5000],
  },
  'c: does not end the only transaction if the reading is below its start': {
    async run(s) {
      const id = await s.start(1, 1000);
      await s.sample(1, id, 1500);
      await s.stop(-1, 777);
      await s.stop(id, 5000);
    },
    sessions: [4000],
    unmatched: ['777 unknownTransaction'],
  },
  'd: does not end a transaction that was lost long ago, even if no other is open': {
    async run(s) {
      await s.start(1, 1000, { timestamp: '2026-10-20T10:00:00Z' });
      await s.stop(await s.start(1, 50_000), 60_000);
      await s.stop(-1, 90_000);
    },
    sessions: ['lost', 10_000],
    unmatched: ['90000 unknownTransaction'],
  },
  'f: ends the transaction with the refused start if the reason is DeAuthorized': {
    async run(s) {
      await s.start(3, 40_000, { idTag: s.soleTag });
      await s.start(4, 51_880, { idTag: s.soleTag });
      await s.stop(-1, 51_880, { idTag: s.soleTag, reason: 'DeAuthorized' });
    },
    sessions: ['open', '0 inferred'],
  },
  'ends the only open transaction even if its id was used (libocpp#495)': {
    async run(s) {
      await s.sample(1, await s.start(1, 1000), 2000);
      await s.stop(-1, 3000);
    },
    sessions: ['2000 inferred'],
  },
  'does not end a transaction whose last reading is higher': {
    async run(s) {
      await s.start(1, 1000);
      await s.sample(1, -1, 5000);
      await s.stop(-1, 4999);
    },
    sessions: ['open'],
    unmatched: ['4999 unknownTransaction'],
  },
  'does not end a transaction whose connector cannot have reached the reading in the time': {
    async run(s) {
      await s.start(1, 463_302);
      await s.sample(1, -1, 463_400);
      await s.stop(-1, 2_825_298);
    },
    sessions: ['open'],
    unmatched: ['2825298 unknownTransaction'],
  },
  'ends the one of two transactions that can have reached the reading in the time': {
    async run(s) {
      await s.start(1, 463_302);
      await s.start(2, 2_825_000);
      await s.stop(-1, 2_825_298);
    },
    sessions: ['open', '298 inferred'],
  },
  'does not end a transaction of another tag': {
    async run(s) {
      await s.start(1, 1000);
      await s.stop(-1, 3000, { idTag: 'OTHER' });
    },
    sessions: ['open'],
    unmatched: ['3000 unknownTransaction'],
  },
  'ends a transaction of another tag of the same group': {
    async run(s) {
      await s.start(1, 1000);
      await s.start(2, 1000, { idTag: 'OTHER' });
      await s.stop(-1, 3000, { idTag: 'MATE' });
    },
    sessions: ['2000 inferred', 'open'],
  },
  'ends none of several transactions whose ids were never used': {
    async run(s) {
      await s.start(1, 1000);
      await s.start(2, 1000);
      await s.stop(-1, 3000);
    },
    sessions: ['open', 'open'],
    unmatched: ['3000 severalTransactions'],
  },
  'ends the one of several whose connector has just reported Finishing': {
    async run(s) {
      await s.start(1, 1000);
      await s.start(2, 1000);
      await s.status(1, 'Charging');
      await s.status(2, 'Finishing');
      await s.stop(-1, 3000);
    },
    sessions: ['open', '2000 inferred'],
  },
  'ends none of several if both connectors have just reported Finishing': {
    async run(s) {
      for (const connectorId of [1, 2]) await s.start(connectorId, 1000);
      for (const connectorId of [1, 2]) await s.status(connectorId, 'Finishing');
      await s.stop(-1, 3000);
    },
    sessions: ['open', 'open'],
    unmatched: ['3000 severalTransactions'],
  },
  'ends none of several if a connector reported Finishing a while ago': {
    async run(s) {
      await s.start(1, 1000);
      await s.start(2, 1000);
      await s.status(2, 'Finishing');
      await s.stop(-1, 3000, { timestamp: at(30) });
    },
    sessions: ['open', 'open'],
    unmatched: ['3000 severalTransactions'],
  },
  'ends none of several if a connector reported Finishing before its transaction started': {
    async run(s) {
      await s.status(2, 'Finishing');
      await s.start(1, 1000);
      await s.start(2, 1000);
      await s.stop(-1, 3000);
    },
    sessions: ['open', 'open'],
    unmatched: ['3000 severalTransactions'],
  },
  'ends none of several if one was refused but the reason is another one': {
    async run(s) {
      await s.start(3, 1000, { idTag: s.soleTag });
      await s.start(4, 1000, { idTag: s.soleTag });
      await s.stop(-1, 3000, { reason: 'Local' });
    },
    sessions: ['open', 'open'],
    unmatched: ['3000 severalTransactions'],
  },
  'ends none of several if there are indications for two': {
    async run(s) {
      await s.start(3, 1000, { idTag: s.soleTag });
      await s.start(4, 1000, { idTag: s.soleTag });
      await s.status(3, 'Finishing');
      await s.stop(-1, 3000, { reason: 'DeAuthorized' });
    },
    sessions: ['open', 'open'],
    unmatched: ['3000 severalTransactions'],
  },
  'ends no transaction with a later start on its connector, even if that start arrived first': {
    async run(s) {
      await s.start(1, 5000, { timestamp: at(5) });
      await s.start(1, 1000, { timestamp: at(1) });
      await s.stop(-1, 4000, { timestamp: at(6) });
    },
    sessions: ['open', 'open'],
    unmatched: ['4000 unknownTransaction'],
  },
  'does not end a transaction that started later': {
    async run(s) {
      await s.start(1, 1000, { timestamp: at(9) });
      await s.stop(-1, 3000);
    },
    sessions: ['open'],
    unmatched: ['3000 unknownTransaction'],
  },
  'is unmatched if it repeats a stop that was sent with an id': {
    async run(s) {
      await s.start(2, 1000);
      await s.stop(await s.start(1, 1000), 3000, { timestamp: at(5), idTag: 'GOOD' });
      await s.stop(-1, 3000, { timestamp: at(5), idTag: 'GOOD' });
    },
    sessions: ['open', 2000],
    unmatched: ['3000 alreadyStopped'],
  },
  'is replaced by the stop with the id': {
    async run(s) {
      const id = await s.start(1, 1000);
      await s.stop(-1, 3000);
      await s.stop(id, 9000);
    },
    sessions: [8000],
    unmatched: ['3000 alreadyStopped'],
  },
  'is confirmed by an equal stop with the id': {
    async run(s) {
      const id = await s.start(1, 1000);
      await s.stop(-1, 3000, { timestamp: at(5) });
      await s.stop(id, 3000, { timestamp: at(5) });
    },
    sessions: [2000],
  },
};

test.each(
  Object.entries(CASES).flatMap(([name, one]) =>
    WITHOUT_ID.map((withoutId) => [withoutId, name, one] as const),
  ),
)('a stop with %i %s', async (withoutId, _name, { run, sessions, unmatched = [] }) => {
  const station = await Station.open(withoutId);
  await run(station);
  expect(await station.sessions()).toEqual(sessions);
  expect(await station.unmatched()).toEqual(unmatched);
});

test.each(WITHOUT_ID)(
  'samples with %i belong to the transaction on the connector as long as its id was never used',
  async (withoutId) => {
    const station = await Station.open(withoutId);
    const id = await station.start(1, 1000);
    await station.sample(1, -1, 2000);
    expect(await row(id)).toMatchObject({ energy_wh: 1000, id_used: false });
    await station.sample(2, -1, 7000);
    await station.sample(1, id, 3000);
    // From the next driver: the stop and the next start are lost.
    await station.sample(1, -1, 9000);
    expect(await row(id)).toMatchObject({ energy_wh: 2000, last_wh: 3000, id_used: true });
    const samples = await manager.rows(
      'SELECT value, transaction_id FROM meter_values WHERE station_id = $1 ORDER BY value',
      [station.id],
    );
    expect(samples.map(({ transaction_id }) => transaction_id)).toEqual([id, id, null, null]);
  },
);

test('samples without an id do not belong to a transaction with a later start on its connector', async () => {
  const station = await Station.open();
  const later = await station.start(1, 5000, { timestamp: at(5) });
  const earlier = await station.start(1, 1000, { timestamp: at(1) });
  await station.sample(1, later, 6000);
  await station.sample(1, -1, 7000);
  expect(await row(earlier)).toMatchObject({ last_wh: null });
  expect(await row(later)).toMatchObject({ last_wh: 6000 });
});

test('any sample uses an id, even one without energy', async () => {
  const station = await Station.open();
  const voltage = { measurand: 'Voltage', unit: 'V' };
  const first = await station.start(1, 1000);
  await station.sample(1, first, 230, voltage);
  const second = await station.start(2, 1000);
  await station.sample(2, -1, 230, voltage);
  await station.stop(-1, 3000);
  expect(await station.sessions()).toEqual(['open', '2000 inferred']);
  expect(await row(second)).toMatchObject({ id_used: false, register_jumped: false, register_fell: false });
  expect(await row(first)).toMatchObject({ id_used: true, register_jumped: false, register_fell: false });
});

test('stops with the same time and reading but different tags are different stops', async () => {
  const station = await Station.open();
  await station.start(1, 0);
  await station.start(2, 0, { idTag: 'OTHER' });
  for (const idTag of ['GOOD', 'OTHER', 'good']) await station.stop(-1, 0, { idTag, timestamp: at(9) });
  expect(await station.sessions()).toEqual(['0 inferred', '0 inferred']);
  expect(await station.unmatched()).toEqual([]);
});

test('a stop that several managers receive concurrently ends one transaction', async () => {
  const station = await Station.open();
  const first = await station.start(1, 0);
  await station.start(2, 1000);
  await station.sample(1, first, 10);
  const request = { transactionId: -1, meterStop: 2000, timestamp: at(9) };
  await Promise.all(Array.from({ length: 10 }, () => station.ask('StopTransaction', request)));
  expect(await station.sessions()).toEqual(['open', '1000 inferred']);
  expect(await station.unmatched()).toEqual([]);
});

test('a repeat is answered as before, even if the tag was blocked meanwhile', async () => {
  await addTag(manager, 'SOON');
  const station = await Station.open();
  await station.start(1, 0, { idTag: 'SOON' });
  const ended = { transactionId: -1, idTag: 'SOON', meterStop: 2000, timestamp: at(9) };
  const unmatched = { ...ended, meterStop: 3000 };
  const requests = [ended, unmatched];
  const answers = async () =>
    Promise.all(requests.map(async (request) => (await station.ask('StopTransaction', request)).response));
  const first = await answers();
  expect(first).toEqual([{ idTagInfo: { status: 'Accepted' } }, { idTagInfo: { status: 'Accepted' } }]);
  await manager.rows("UPDATE tags SET status = 'Blocked' WHERE id_tag = 'SOON'");
  expect(await answers()).toEqual(first);
});

test('the samples of an inferred stop are removed from the transaction when its own stop arrives', async () => {
  const station = await Station.open();
  const id = await station.start(1, 1000);
  await station.sample(1, -1, 2000);
  const end = (value: string) => [
    {
      timestamp: at(9),
      sampledValue: [
        { value, context: 'Transaction.End' },
        { value: '7', measurand: 'SoC' },
      ],
    },
  ];
  await station.stop(-1, 90_000, { idTag: 'MATE', timestamp: at(9), transactionData: end('90000') });
  expect(await row(id)).toMatchObject({ energy_wh: 89_000, end_wh: 90_000, flags: ['stopInferred'] });
  await station.stop(id, 5000, { idTag: 'OTHER', timestamp: at(10), transactionData: end('5000') });
  expect(await row(id)).toMatchObject({
    energy_wh: 4000,
    energy_source: 'meterStop',
    stop_id_tag: 'OTHER',
    first_wh: 2000,
    end_wh: 5000,
    last_wh: 5000,
    high_wh: 5000,
    flags: ['stoppedByOtherTag'],
    meter_flags: [],
    stop_request: null,
  });
  const samples = await manager.rows(
    'SELECT value, transaction_id FROM meter_values WHERE station_id = $1 ORDER BY value',
    [station.id],
  );
  expect(samples).toEqual([
    { value: '2000', transaction_id: id },
    { value: '5000', transaction_id: id },
    { value: '7', transaction_id: id },
  ]);
  const kept = await manager.rows('SELECT * FROM unmatched_stops WHERE station_id = $1', [station.id]);
  expect(kept).toMatchObject([
    {
      transaction_id: -1,
      id_tag: 'MATE',
      meter_stop_wh: 90_000,
      stop_reason: 'Local',
      state: 'open',
      why: 'alreadyStopped',
      request: { transactionData: end('90000') },
    },
  ]);
});

async function row(transactionId: number): Promise<Record<string, unknown> | undefined> {
  return (await manager.rows('SELECT * FROM transactions WHERE transaction_id = $1', [transactionId]))[0];
}
