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
/** Reconciliations processed concurrently; most of the work is waiting for the database. */
const CONCURRENCY = 3;
/** A command whose id was recorded but that does not exist after this time was never created. */
const LEASE_MS = 30_000;
/** If a second command of the same action is lost within this time, it is not retried: the command may cause the loss. */
const LOST_AGAIN_MS = 900_000;

export type DesiredStates = Record<string, DesiredState<never>>;

export interface ReconcilerOptions {
  database: Database;
  callMaker: Pick<CallMaker, 'request'>;
  desiredStates: DesiredStates;
  now(): Date;
  log: Log;
}

/** Brings stations to their desired state, one command at a time. Any manager can continue where another stopped. */
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
    this.#timer = setInterval(() => void this.reconcileAll(), POLL_INTERVAL_MS);
    this.#reopenTimer = setInterval(() => void this.reopen(), REQUEUE_INTERVAL_MS);
  }

  /** Reopens reconciliations affected by changes that concern several stations, such as changed tags. Never rejects. */
  reopen(): Promise<void> {
    const { database, now, log } = this.#options;
    this.#reopening = this.#reopening.then(async () => {
      for (const [kind, { reopen }] of Object.entries(this.#options.desiredStates))
        await reopen?.(database, now()).catch((error: unknown) =>
          log.warn({ kind, err: error }, 'reconciliations could not be reopened; will be retried'),
        );
    });
    return this.#reopening;
  }

  /** Checks a station's reconciliations now, after a command is completed or something else has changed. Never rejects. */
  async check(stationId: string): Promise<void> {
    const { database, now, log } = this.#options;
    try {
      if (await reconciliations.lookNow(database, stationId, now())) await this.reconcileAll();
    } catch (error) {
      log.warn({ stationId, err: error }, 'reconciliations could not be checked');
    }
  }

  /** Processes all due reconciliations. Never rejects. */
  reconcileAll(): Promise<void> {
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
      const workers = Array.from({ length: CONCURRENCY }, async () => {
        for (let reconciliation = due.shift(); reconciliation; reconciliation = due.shift())
          await this.#advance(reconciliation);
      });
      await Promise.all(workers);
      if (hasMore) await this.#round();
    } catch (error) {
      log.warn({ err: error }, 'reconciliations could not be processed');
    }
  }

  async #advance(reconciliation: ReconciliationRow): Promise<void> {
    const { database, now, log } = this.#options;
    const { stationId, kind } = reconciliation;
    try {
      await this.#apply(reconciliation, await this.#next(reconciliation));
    } catch (error) {
      log.error({ stationId, kind, err: error }, 'a reconciliation could not be processed');
      const lookAt = new Date(now().getTime() + 60_000);
      await reconciliations.step(database, reconciliation, {
        doing: 'will be retried after an internal error',
        lookAt,
      });
    }
  }

  async #next(reconciliation: ReconciliationRow): Promise<Step> {
    const { database, now, log } = this.#options;
    const { stationId, kind, requestedAt, commandId } = reconciliation;
    const file = this.#options.desiredStates[kind] as DesiredState<object> | undefined;
    // A newer manager may have set a kind that this version does not know.
    if (!file) return { do: 'wait', doing: 'waits for a manager whose version knows this kind', seconds: 30 };
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

  // A command that was lost with its connection is treated as never sent. Not a Reset: stations often reboot instead of answering it.
  async #lastOf(commandId: string): Promise<CommandRow | undefined> {
    const { database, now } = this.#options;
    const last = await commandList.get(database, commandId);
    if (!last || !isUnanswered(last) || last.action === 'Reset') return last;
    const since = new Date(now().getTime() - LOST_AGAIN_MS);
    return (await commandList.isLost(database, last, since)) ? undefined : last;
  }

  async #apply(reconciliation: ReconciliationRow, step: Step): Promise<void> {
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

  // Records the command's id before the command: if the manager dies in between, the command does not exist and the step is repeated.
  async #send(reconciliation: ReconciliationRow, step: Extract<Step, { do: 'send' }>): Promise<void> {
    const { database, now, callMaker } = this.#options;
    const { stationId, requestedBy } = reconciliation;
    const { action, request, doing } = step;
    const commandId = randomUUID();
    const at = now();
    // A lease until then; when the command is completed, the reconciliation is checked immediately.
    const lookAt = new Date(at.getTime() + LEASE_MS);
    if (!(await reconciliations.step(database, reconciliation, { doing, lookAt, commandId }))) return;
    try {
      await callMaker.request({ stationId, action, request, commandId, requestedBy });
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
