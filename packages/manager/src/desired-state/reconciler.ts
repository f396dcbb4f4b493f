import { OcppError } from '@evander/ocpp';
import type { Log } from '@evander/process';
import { randomUUID } from 'node:crypto';
import type { CallMaker } from '../commands/call-maker.ts';
import * as commandList from '../commands/command-list.store.ts';
import type { CommandRow } from '../commands/command-list.store.ts';
import { NotSent, RuleBroken } from '../commands/command.ts';
import type { Database } from '../database/database.ts';
import { isUnanswered } from './desired-state.ts';
import type { Goal, Step } from './desired-state.ts';
import * as goals from './reconciliations.store.ts';
import type { GoalRow } from './reconciliations.store.ts';

const EVERY_MS = 1000;
const REOPEN_EVERY_MS = 2000;
/** Goals worked on at a time: most of the work is waiting for the database. */
const AT_ONCE = 3;
/** A command that was named and is not there after this time was never made. */
const LEASE_MS = 30_000;
/** A second command of the same action that is lost within this time is no accident any more. */
const LOST_AGAIN_MS = 900_000;

export type Goals = Record<string, Goal<never>>;

export interface PursuitOptions {
  database: Database;
  callMaker: Pick<CallMaker, 'request'>;
  goals: Goals;
  now(): Date;
  log: Log;
}

/** Brings stations to their goals, one command after the other. Any manager can go on where another has stopped. */
export class Pursuit {
  readonly #options: PursuitOptions;
  #timer: NodeJS.Timeout | undefined;
  #reopenTimer: NodeJS.Timeout | undefined;
  #reopening: Promise<void> = Promise.resolve();
  #running: Promise<void> = Promise.resolve();

  constructor(options: PursuitOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => void this.sweep(), EVERY_MS);
    this.#reopenTimer = setInterval(() => void this.reopen(), REOPEN_EVERY_MS);
  }

  /** Opens the goals that something has changed for which is not one station's. Never rejects. */
  reopen(): Promise<void> {
    const { database, now, log } = this.#options;
    this.#reopening = this.#reopening.then(async () => {
      for (const [kind, { reopen }] of Object.entries(this.#options.goals))
        await reopen?.(database, now()).catch((error: unknown) =>
          log.warn({ kind, err: error }, 'goals could not be opened again; tried again soon'),
        );
    });
    return this.#reopening;
  }

  /** A command of a station is settled, or something else has changed there: its goals are looked at now. Never rejects. */
  async look(stationId: string): Promise<void> {
    const { database, now, log } = this.#options;
    try {
      if (await goals.lookNow(database, stationId, now())) await this.sweep();
    } catch (error) {
      log.warn({ stationId, err: error }, 'goals could not be looked at');
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
      const due = await goals.take(database, now());
      const hasMore = due.length > 0;
      const turns = Array.from({ length: AT_ONCE }, async () => {
        for (let goal = due.shift(); goal; goal = due.shift()) await this.#advance(goal);
      });
      await Promise.all(turns);
      if (hasMore) await this.#round();
    } catch (error) {
      log.warn({ err: error }, 'goals could not be pursued');
    }
  }

  async #advance(goal: GoalRow): Promise<void> {
    const { database, now, log } = this.#options;
    const { stationId, kind } = goal;
    try {
      await this.#take(goal, await this.#next(goal));
    } catch (error) {
      log.error({ stationId, kind, err: error }, 'a goal could not be pursued');
      const lookAt = new Date(now().getTime() + 60_000);
      await goals.step(database, goal, { doing: 'tried again after a fault of ours', lookAt });
    }
  }

  async #next(goal: GoalRow): Promise<Step> {
    const { database, now, log } = this.#options;
    const { stationId, kind, requestedAt, commandId } = goal;
    const file = this.#options.goals[kind] as Goal<object> | undefined;
    // A newer manager may know more kinds.
    if (!file) return { do: 'wait', doing: 'waits for a manager that knows it', seconds: 30 };
    const last = commandId === null ? undefined : await this.#lastOf(commandId);
    return file.next(goal.wanted, {
      db: database,
      stationId,
      now: now(),
      requestedAt,
      last,
      log: log.child({ stationId, goal: kind }),
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

  async #take(goal: GoalRow, step: Step): Promise<void> {
    const { database, now } = this.#options;
    const at = now();
    const later = (seconds: number): Date => new Date(at.getTime() + seconds * 1000);
    switch (step.do) {
      case 'send':
        return this.#send(goal, step);
      case 'wait':
        await goals.step(database, goal, { doing: step.doing, lookAt: later(step.seconds) });
        return;
      case 'reached':
        await goals.settle(database, goal, { state: 'reached', reason: null, at });
        return;
      case 'failed':
        await goals.settle(database, goal, { state: 'failed', reason: step.reason, at });
    }
  }

  // The goal names its command before there is one: whoever dies in between leaves a goal whose command is not there, and the same step.
  async #send(goal: GoalRow, step: Extract<Step, { do: 'send' }>): Promise<void> {
    const { database, now, callMaker } = this.#options;
    const { stationId, requestedBy } = goal;
    const { action, request, doing } = step;
    const commandId = randomUUID();
    const at = now();
    // Until then it is nobody else's turn; whoever settles the command has the goal looked at, at once.
    const lookAt = new Date(at.getTime() + LEASE_MS);
    if (!(await goals.step(database, goal, { doing, lookAt, commandId }))) return;
    try {
      await callMaker.request({ stationId, action, request, commandId, ...(requestedBy && { requestedBy }) });
    } catch (error) {
      if (error instanceof NotSent) {
        const lookAt = new Date(at.getTime() + 5000);
        await goals.step(database, goal, { doing: `${doing}: ${error.message}`, lookAt });
      } else if (error instanceof RuleBroken || error instanceof OcppError) {
        await goals.settle(database, goal, { state: 'failed', reason: `${action}: ${error.message}`, at });
      } else throw error;
    }
  }
}
