import { OcppError } from '@evander/ocpp';
import type { Log } from '@evander/process';
import { randomUUID } from 'node:crypto';
import type { CallMaker } from '../commands/call-maker.ts';
import * as commandList from '../commands/command-list.store.ts';
import type { CommandRow } from '../commands/command-list.store.ts';
import { CommandNotSent, RuleViolation } from '../commands/command.ts';
import type { Database } from '../database/database.ts';
import { isUnanswered } from './desired-state.ts';
import type { DesiredState, Step } from './desired-state.ts';
import * as reconciliations from './reconciliations.store.ts';
import type { ReconciliationRow } from './reconciliations.store.ts';

const POLL_INTERVAL_MS = 1000;
const REQUEUE_INTERVAL_MS = 2000;
/** DesiredStates worked on at a time: most of the work is waiting for the database. */
const CONCURRENCY = 3;
/** A command that was named and is not there after this time was never made. */
const LEASE_MS = 30_000;
/** A second command of the same action that is lost within this time is no accident any more. */
const LOST_AGAIN_MS = 900_000;

export type DesiredStates = Record<string, DesiredState<never>>;

export interface ReconcilerOptions {
  database: Database;
  callMaker: Pick<CallMaker, 'request'>;
  reconciliations: DesiredStates;
  now(): Date;
  log: Log;
}

/** Brings stations to their desired state, one command after the other. Any manager can go on where another has stopped. */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  #timer: NodeJS.Timeout | undefined;
  #reopenTimer: NodeJS.Timeout | undefined;
  #reopening: Promise<void> = Promise.resolve();
  #running: Promise<void> = Promise.resolve();

  constructor(options: ReconcilerOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => void this.sweep(), POLL_INTERVAL_MS);
    this.#reopenTimer = setInterval(() => void this.reopen(), REQUEUE_INTERVAL_MS);
  }

  /** Opens the reconciliations that something has changed for which is not one station's. Never rejects. */
  reopen(): Promise<void> {
    const { database, now, log } = this.#options;
    this.#reopening = this.#reopening.then(async () => {
      for (const [kind, { reopen }] of Object.entries(this.#options.reconciliations))
        await reopen?.(database, now()).catch((error: unknown) =>
          log.warn({ kind, err: error }, 'reconciliations could not be opened again; tried again soon'),
        );
    });
    return this.#reopening;
  }

  /** A command of a station is completed, or something else has changed there: its reconciliations are looked at now. Never rejects. */
  async check(stationId: string): Promise<void> {
    const { database, now, log } = this.#options;
    try {
      if (await reconciliations.lookNow(database, stationId, now())) await this.sweep();
    } catch (error) {
      log.warn({ stationId, err: error }, 'reconciliations could not be looked at');
    }
  }

  /** One round: whatever can be done is done. Never rejects. */
  sweep(): Promise<void> {
    this.#running = this.#running.then(() => this.#round());
    return this.#running;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    clearInterval(this.#reopenTimer);
    await this.#reopening;
    await this.#running;
  }

  async #round(): Promise<void> {
    const { database, now, log } = this.#options;
    try {
      const due = await reconciliations.take(database, now());
      const hasMore = due.length > 0;
      const turns = Array.from({ length: CONCURRENCY }, async () => {
        for (let reconciliation = due.shift(); reconciliation; reconciliation = due.shift())
          await this.#advance(reconciliation);
      });
      await Promise.all(turns);
      if (hasMore) await this.#round();
    } catch (error) {
      log.warn({ err: error }, 'reconciliations could not be worked on');
    }
  }

  async #advance(reconciliation: ReconciliationRow): Promise<void> {
    const { database, now, log } = this.#options;
    const { stationId, kind } = reconciliation;
    try {
      await this.#take(reconciliation, await this.#next(reconciliation));
    } catch (error) {
      log.error({ stationId, kind, err: error }, 'a reconciliation could not be worked on');
      const lookAt = new Date(now().getTime() + 60_000);
      await reconciliations.step(database, reconciliation, {
        doing: 'tried again after a fault of ours',
        lookAt,
      });
    }
  }

  async #next(reconciliation: ReconciliationRow): Promise<Step> {
    const { database, now, log } = this.#options;
    const { stationId, kind, requestedAt, commandId } = reconciliation;
    const file = this.#options.reconciliations[kind] as DesiredState<object> | undefined;
    // A newer manager may know more kinds.
    if (!file) return { do: 'wait', doing: 'waits for a manager that knows it', seconds: 30 };
    const last = commandId === null ? undefined : await this.#lastOf(commandId);
    return file.next(reconciliation.desired, {
      db: database,
      stationId,
      now: now(),
      requestedAt,
      last,
      log: log.child({ stationId, reconciliation: kind }),
    });
  }

  // What was lost on the way is as if it had never been sent. A reset is often answered by the reboot itself.
  async #lastOf(commandId: string): Promise<CommandRow | undefined> {
    const { database, now } = this.#options;
    const last = await commandList.get(database, commandId);
    if (!last || !isUnanswered(last) || last.action === 'Reset') return last;
    const since = new Date(now().getTime() - LOST_AGAIN_MS);
    return (await commandList.isLost(database, last, since)) ? undefined : last;
  }

  async #take(reconciliation: ReconciliationRow, step: Step): Promise<void> {
    const { database, now } = this.#options;
    const at = now();
    const later = (seconds: number): Date => new Date(at.getTime() + seconds * 1000);
    switch (step.do) {
      case 'send':
        return this.#send(reconciliation, step);
      case 'wait':
        await reconciliations.step(database, reconciliation, {
          doing: step.doing,
          lookAt: later(step.seconds),
        });
        return;
      case 'succeeded':
        await reconciliations.complete(database, reconciliation, { state: 'succeeded', reason: null, at });
        return;
      case 'failed':
        await reconciliations.complete(database, reconciliation, {
          state: 'failed',
          reason: step.reason,
          at,
        });
    }
  }

  // The reconciliation names its command before there is one: whoever dies in between leaves a reconciliation whose command is not there, and the same step.
  async #send(reconciliation: ReconciliationRow, step: Extract<Step, { do: 'send' }>): Promise<void> {
    const { database, now, callMaker } = this.#options;
    const { stationId, requestedBy } = reconciliation;
    const { action, request, doing } = step;
    const commandId = randomUUID();
    const at = now();
    // Until then it is nobody else's turn; whoever completes the command has the reconciliation looked at, at once.
    const lookAt = new Date(at.getTime() + LEASE_MS);
    if (!(await reconciliations.step(database, reconciliation, { doing, lookAt, commandId }))) return;
    try {
      await callMaker.request({ stationId, action, request, commandId, ...(requestedBy && { requestedBy }) });
    } catch (error) {
      if (error instanceof CommandNotSent) {
        const lookAt = new Date(at.getTime() + 5000);
        await reconciliations.step(database, reconciliation, { doing: `${doing}: ${error.message}`, lookAt });
      } else if (error instanceof RuleViolation || error instanceof OcppError) {
        await reconciliations.complete(database, reconciliation, {
          state: 'failed',
          reason: `${action}: ${error.message}`,
          at,
        });
      } else throw error;
    }
  }
}
