import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import * as stations from '../../src/stations/stations.store.ts';
import * as transactionEndings from '../../src/transactions/transaction-endings.store.ts';
import { addTag, openTestManager } from '../test-manager.ts';
import type { TestManager } from '../test-manager.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await openTestManager();
  await addTag(manager, 'DRIVER', { parent_id_tag: 'FLEET' });
  await addTag(manager, 'MATE', { parent_id_tag: 'FLEET' });
  await addTag(manager, 'OTHER');
  await addTag(manager, 'BLOCKED', { status: 'Blocked' });
});
afterAll(() => manager.close());

const TAGS = ['DRIVER', 'MATE', 'OTHER', 'BLOCKED'] as const;
type Tag = (typeof TAGS)[number];
const GROUPS: Record<Tag, string> = { DRIVER: 'FLEET', MATE: 'FLEET', OTHER: 'OTHER', BLOCKED: 'BLOCKED' };

interface Stop {
  id: number;
  at: number;
  meter: number;
  tag: Tag | undefined;
  reason: string | undefined;
}

interface Session {
  id: number;
  connector: number;
  tag: Tag;
  at: number;
  meterStart: number;
  lastReading: number;
  highest: number;
  idUsed: boolean;
  /** Superseded, or closed by an operator. */
  isOver: boolean;
  end?: { stop: Stop; isInferred: boolean };
}

/** The expected result: the rules of the issue on a list of sessions, without a database. */
class Model {
  readonly sessions: Session[] = [];
  readonly unmatched: Stop[] = [];
  readonly finishing = new Map<number, number>();

  start(session: Session): void {
    for (const older of this.sessions)
      if (older.connector === session.connector && older.at < session.at && !older.end) older.isOver = true;
    this.sessions.push(session);
  }

  sample(connector: number, id: number, reading: number): void {
    const session =
      id > 0
        ? this.sessions.find((one) => one.id === id)
        : this.open().find((one) => one.connector === connector && !one.idUsed && !this.hasLater(one));
    if (!session) return;
    if (id > 0) session.idUsed = true;
    session.lastReading = reading;
    session.highest = Math.max(session.highest, reading);
  }

  stop(stop: Stop): void {
    if (stop.id > 0) this.stopById(stop);
    else this.stopWithoutId(stop);
  }

  private stopById(stop: Stop): void {
    const session = this.sessions.find((one) => one.id === stop.id);
    if (!session?.end) {
      if (session) session.end = { stop, isInferred: false };
      else this.keep(stop);
      return;
    }
    const before = session.end;
    const isSame = before.stop.at === stop.at && before.stop.meter === stop.meter;
    if (before.isInferred) {
      if (!isSame) this.keep(before.stop);
      session.end = { stop, isInferred: false };
    } else if (!isSame) {
      this.keep(stop);
    }
  }

  private stopWithoutId(stop: Stop): void {
    if (this.isKept(stop)) return;
    const before = this.sessions.find(
      ({ end }) => end?.stop.at === stop.at && end.stop.meter === stop.meter && end.stop.tag === stop.tag,
    );
    if (before?.end?.isInferred) return;
    const session = before ? undefined : this.meant(stop);
    if (session) session.end = { stop, isInferred: true };
    else this.keep(stop);
  }

  private meant(stop: Stop): Session | undefined {
    const fit = this.open().filter(
      (one) =>
        one.at <= stop.at &&
        !this.hasLater(one) &&
        (stop.tag === undefined || GROUPS[stop.tag] === GROUPS[one.tag]) &&
        one.meterStart <= stop.meter &&
        one.lastReading <= stop.meter,
    );
    const neverUsed = fit.filter(({ idUsed }) => !idUsed);
    if (neverUsed.length === 1) return neverUsed[0];
    if (neverUsed.length === 0) return this.open().length === 1 ? fit[0] : undefined;
    const evident = neverUsed.filter((one) => {
      const finishing = this.finishing.get(one.connector) ?? -Infinity;
      const hasSaidSo = finishing >= one.at && Math.abs(stop.at - finishing) <= 60;
      return hasSaidSo || (stop.reason === 'DeAuthorized' && one.tag === 'BLOCKED');
    });
    return evident.length === 1 ? evident[0] : undefined;
  }

  private open(): Session[] {
    return this.sessions.filter(({ end, isOver }) => !end && !isOver);
  }

  private hasLater(session: Session): boolean {
    return this.sessions.some(
      (one) =>
        one.connector === session.connector &&
        (one.at > session.at || (one.at === session.at && one.id > session.id)),
    );
  }

  private keep(stop: Stop): void {
    if (!this.isKept(stop)) this.unmatched.push(stop);
  }

  private isKept({ id, at, meter, tag }: Stop): boolean {
    return this.unmatched.some(
      (one) => one.id === id && one.at === at && one.meter === meter && one.tag === tag,
    );
  }
}

const connector = fc.integer({ min: 1, max: 3 });
const reading = fc.integer({ min: 0, max: 6 }).map((kWh) => kWh * 1000);
const tag = fc.constantFrom(...TAGS);
/** Picks one of the existing sessions or stops. */
const which = fc.nat(20);
const STEP = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('start' as const), connector, tag, reading, late: fc.nat(3) }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('sample' as const), which, reading }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('voltage' as const), which }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('sampleWithoutId' as const), connector, reading }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('stop' as const), which, reading }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('stopWithoutId' as const),
      id: fc.constantFrom(-1, 0, -77, -(2 ** 31)),
      reading,
      tag: fc.option(tag, { nil: undefined, freq: 1 }),
      reason: fc.constantFrom('Local', 'DeAuthorized'),
      late: fc.nat(3),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('repeat' as const), which }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('forgetId' as const), which }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('learnId' as const), which }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('status' as const), connector, isFinishing: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('close' as const), which }) },
);
type Step = typeof STEP extends fc.Arbitrary<infer S> ? S : never;

const BASE = Date.UTC(2026, 10, 20);
const SECONDS = 20;
const timeOf = (at: number): string => new Date(BASE + at * 1000).toISOString();

/** A station that performs the steps of a world, and the model that gets the same steps. */
class World {
  static #count = 0;
  readonly #stationId = `W${++World.#count}`;
  readonly #model = new Model();
  readonly #stops: Stop[] = [];
  #at = 0;

  async run(steps: Step[]): Promise<void> {
    await stations.addUnknown(manager.database, [this.#stationId]);
    await this.#ask('BootNotification', { chargePointVendor: 'Vendor', chargePointModel: 'Model' });
    for (const step of steps) {
      this.#at += SECONDS;
      await this.#take(step);
    }
    expect(await this.#found()).toEqual(this.#expected());
  }

  async #take(step: Step): Promise<void> {
    const { sessions, finishing } = this.#model;
    const session = 'which' in step ? sessions[step.which % sessions.length] : undefined;
    switch (step.do) {
      case 'start':
        return this.#start(step.connector, step.tag, step.reading, this.#at - step.late * SECONDS);
      case 'sample':
        if (session) await this.#sample(session.connector, session.id, { value: String(step.reading) });
        if (session) this.#model.sample(session.connector, session.id, step.reading);
        return;
      case 'voltage':
        if (session)
          await this.#sample(session.connector, session.id, { value: '230', measurand: 'Voltage' });
        if (session) session.idUsed = true;
        return;
      case 'sampleWithoutId':
        await this.#sample(step.connector, -1, { value: String(step.reading) });
        return this.#model.sample(step.connector, -1, step.reading);
      case 'stop':
        if (!session) return;
        return this.#stop({
          id: session.id,
          at: this.#at,
          meter: step.reading,
          tag: undefined,
          reason: undefined,
        });
      case 'stopWithoutId': {
        const { id, reading: meter, reason, late } = step;
        return this.#stop({ id, at: this.#at - late * SECONDS, meter, tag: step.tag, reason });
      }
      case 'repeat': {
        const stop = this.#stops[step.which % this.#stops.length];
        return stop && this.#stop(stop);
      }
      // A station that has lost the id sends the stop again.
      case 'forgetId':
        return session?.end && this.#stop({ ...session.end.stop, id: -1 });
      // A station that finally got the answer to its start.
      case 'learnId':
        return session?.end && this.#stop({ ...session.end.stop, id: session.id });
      case 'status': {
        const status = step.isFinishing ? 'Finishing' : 'Charging';
        const request = {
          connectorId: step.connector,
          status,
          errorCode: 'NoError',
          timestamp: timeOf(this.#at),
        };
        await this.#ask('StatusNotification', request);
        if (step.isFinishing) finishing.set(step.connector, this.#at);
        else finishing.delete(step.connector);
        return;
      }
      case 'close':
        if (!session || session.end || session.isOver) return;
        session.isOver = true;
        await transactionEndings.close(
          manager.database,
          {
            transactionId: session.id,
            by: null,
            reason: 'x',
            meterStopWh: null,
            stoppedAt: new Date(BASE + this.#at * 1000),
            at: new Date(),
          },
          () => {},
        );
    }
  }

  async #start(connectorId: number, idTag: Tag, meterStart: number, at: number): Promise<void> {
    const { response } = await this.#ask('StartTransaction', {
      connectorId,
      idTag,
      meterStart,
      timestamp: timeOf(at),
    });
    const { transactionId: id } = response as { transactionId: number };
    if (this.#model.sessions.some((one) => one.id === id)) return;
    this.#model.start({
      id,
      connector: connectorId,
      tag: idTag,
      at,
      meterStart,
      lastReading: meterStart,
      highest: -Infinity,
      idUsed: false,
      isOver: false,
    });
  }

  async #sample(connectorId: number, transactionId: number, sampled: object): Promise<void> {
    const meterValue = [{ timestamp: timeOf(this.#at), sampledValue: [sampled] }];
    await this.#ask('MeterValues', { connectorId, transactionId, meterValue });
  }

  // Twice, concurrently: one effect and one answer.
  async #stop(stop: Stop): Promise<void> {
    const { id: transactionId, at, meter: meterStop, tag: idTag, reason } = stop;
    const request = { transactionId, meterStop, timestamp: timeOf(at), idTag, reason };
    const [one, two] = await Promise.all([
      this.#ask('StopTransaction', request),
      this.#ask('StopTransaction', request),
    ]);
    expect(two).toEqual(one);
    this.#stops.push(stop);
    this.#model.stop(stop);
  }

  async #ask(action: string, request: object): Promise<{ response?: unknown }> {
    const answer = await manager.ask(action, request, { stationId: this.#stationId });
    expect(answer).toEqual({ response: expect.any(Object) as unknown });
    return answer;
  }

  async #found(): Promise<unknown> {
    const sessions = await manager.rows(
      `SELECT transaction_id AS id, state = 'open' AS "isOpen", meter_stop_wh AS meter, energy_wh AS energy,
         flags @> '{stopInferred}' AS "isInferred"
       FROM transactions WHERE station_id = $1 ORDER BY 1`,
      [this.#stationId],
    );
    const unmatched = await manager.rows(
      'SELECT transaction_id AS id, stopped_at AS at, meter_stop_wh AS meter, id_tag AS tag FROM unmatched_stops WHERE station_id = $1',
      [this.#stationId],
    );
    return {
      sessions,
      unmatched: new Set(unmatched.map((row) => JSON.stringify(row))),
      count: unmatched.length,
    };
  }

  #expected(): unknown {
    const { sessions, unmatched } = this.#model;
    return {
      sessions: sessions.map(({ id, end, isOver, meterStart, highest }) => ({
        id,
        isOpen: !end && !isOver,
        meter: end?.stop.meter ?? null,
        energy: [end?.stop.meter ?? -1, highest].map((wh) => wh - meterStart).find((wh) => wh >= 0) ?? null,
        isInferred: end?.isInferred === true,
      })),
      unmatched: new Set(
        unmatched.map(({ id, at, meter, tag: idTag }) =>
          JSON.stringify({ id, at: timeOf(at), meter, tag: idTag ?? null }),
        ),
      ),
      count: unmatched.length,
    };
  }
}

test('in any sequence of sessions each stop ends only the transaction that it can mean', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(STEP, { minLength: 3, maxLength: 25 }), (steps) => new World().run(steps)),
    { numRuns: 200 },
  );
}, 300_000);
