import type { CallEnvelope } from '@evander/broker';
import { silentLog } from '@evander/process';
import { GOALS } from '../../src/desired-state/index.ts';
import { Pursuit } from '../../src/desired-state/reconciler.ts';
import * as goals from '../../src/desired-state/reconciliations.store.ts';
import type { GoalRow } from '../../src/desired-state/reconciliations.store.ts';
import { recordPresence } from '../../src/presence/presence.ts';
import { createWriter } from '../../src/station-writer.ts';
import type { Desk, StationAnswer } from '../desk.ts';

/** A station as its answers: what it says to a call, undefined for nothing. */
export type Answering = (call: CallEnvelope) => StationAnswer | undefined;

/** Goals of CP1 pursued by managers that live for one round only. */
export class GoalDesk {
  now = new Date();
  readonly #desk: Desk;

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  pursuit(): Pursuit {
    const { database, callMaker } = this.#desk;
    return new Pursuit({ database, callMaker, goals: GOALS, now: () => this.now, log: silentLog() });
  }

  /** The clock of managers and commands goes on. */
  pass(seconds: number): void {
    this.now = new Date(Math.max(this.now.getTime(), Date.now()) + seconds * 1000);
    this.#desk.setNow(this.now);
  }

  /** Goes on, another manager for each step, until nothing more is sent; what was sent. */
  async run(answering: Answering, most = 500): Promise<CallEnvelope[]> {
    const calls: CallEnvelope[] = [];
    this.pass(0.01);
    await this.pursuit().sweep();
    let from = this.#seen;
    for (;;) {
      const call = this.#desk.sent()[from++];
      if (!call) break;
      calls.push(call);
      if (calls.length > most) throw new Error(`more than ${most} commands`);
      const answer = answering(call);
      this.pass(0.01);
      if (!answer) continue;
      await this.#desk.answer(call, answer);
      await this.pursuit().look('CP1');
    }
    this.#seen = from - 1;
    return calls;
  }

  /** The station connects anew, to the same gateway. */
  async connect(): Promise<void> {
    this.pass(0.01);
    const { database } = this.#desk;
    const writer = createWriter(database);
    const [row] = await this.#desk.rows(
      `SELECT gateway_id, connection_id || '+' AS connection_id FROM connections WHERE station_id = 'CP1'`,
    );
    const connectedAt = this.now.toISOString();
    const connection = { stationId: 'CP1', connectionId: String(row?.connection_id), connectedAt };
    const connected = { kind: 'connected' as const, connections: [connection] };
    await recordPresence(String(row?.gateway_id), connected, { database, writer, now: () => this.now });
    this.pass(4);
  }

  #seen = 0;

  /** Forgets what has been sent so far. */
  skip(): void {
    this.#seen = this.#desk.sent().length;
  }

  async goal(kind: string): Promise<GoalRow | undefined> {
    return goals.get(this.#desk.database, 'CP1', kind);
  }
}
