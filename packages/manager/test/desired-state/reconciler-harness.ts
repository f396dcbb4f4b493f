import type { CallEnvelope } from '@evander/broker';
import { silentLog } from '@evander/process';
import { DESIRED_STATES } from '../../src/desired-state/index.ts';
import { Reconciler } from '../../src/desired-state/reconciler.ts';
import * as reconciliations from '../../src/desired-state/reconciliations.store.ts';
import type { ReconciliationRow } from '../../src/desired-state/reconciliations.store.ts';
import { recordPresence } from '../../src/presence/presence.ts';
import { createWriter } from '../../src/station-writer.ts';
import type { StationAnswer, TestManager } from '../test-manager.ts';

/** A station's answer to a call; undefined for none. */
export type Responder = (call: CallEnvelope) => StationAnswer | undefined;

/** Reconciles CP1, with a new manager for each round. */
export class ReconcilerHarness {
  now = new Date();
  readonly #manager: TestManager;

  constructor(manager: TestManager) {
    this.#manager = manager;
  }

  reconciler(): Reconciler {
    const { database, callMaker } = this.#manager;
    return new Reconciler({
      database,
      callMaker,
      desiredStates: DESIRED_STATES,
      now: () => this.now,
      log: silentLog(),
    });
  }

  /** Advances the clock of managers and commands. */
  pass(seconds: number): void {
    this.now = new Date(Math.max(this.now.getTime(), Date.now()) + seconds * 1000);
    this.#manager.setNow(this.now);
  }

  /** Reconciles, with another manager for each step, until nothing more is sent; resolves with the calls. */
  async run(respond: Responder, maxCalls = 500): Promise<CallEnvelope[]> {
    const calls: CallEnvelope[] = [];
    this.pass(0.01);
    await this.reconciler().reconcileAll();
    let from = this.#seen;
    for (;;) {
      const call = this.#manager.sent()[from++];
      if (!call) break;
      calls.push(call);
      if (calls.length > maxCalls) throw new Error(`more than ${maxCalls} commands`);
      const answer = respond(call);
      this.pass(0.01);
      if (!answer) continue;
      await this.#manager.answer(call, answer);
      await this.reconciler().check('CP1');
    }
    this.#seen = from - 1;
    return calls;
  }

  /** Reconnects the station to the same gateway. */
  async connect(): Promise<void> {
    this.pass(0.01);
    const { database } = this.#manager;
    const writer = createWriter(database);
    const [row] = await this.#manager.rows(
      `SELECT gateway_id, connection_id || '+' AS connection_id FROM connections WHERE station_id = 'CP1'`,
    );
    const connectedAt = this.now.toISOString();
    const connection = { stationId: 'CP1', connectionId: String(row?.connection_id), connectedAt };
    const connected = { kind: 'connected' as const, connections: [connection] };
    await recordPresence(String(row?.gateway_id), connected, { database, writer, now: () => this.now });
    this.pass(4);
  }

  #seen = 0;

  /** Skips the calls sent so far. */
  skip(): void {
    this.#seen = this.#manager.sent().length;
  }

  async reconciliation(kind: string): Promise<ReconciliationRow | undefined> {
    return reconciliations.get(this.#manager.database, 'CP1', kind);
  }
}
