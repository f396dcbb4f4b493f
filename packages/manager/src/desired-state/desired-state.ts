import type { CommandAction } from '@evander/ocpp';
import type { Log } from '@evander/process';
import type { CommandRow } from '../commands/command-list.store.ts';
import type { Db } from '../database/database.ts';

/** What is to be done next for a reconciliation. */
export type Step =
  /** Sends a command; the reconciliation is looked at again when it is completed. */
  | { do: 'send'; action: CommandAction; request: object; doing: string }
  /** Looks again after so many seconds, or as soon as the station connects, boots, or completes a command. */
  | { do: 'wait'; doing: string; seconds: number }
  | { do: 'succeeded' }
  | { do: 'failed'; reason: string };

export interface ReconciliationContext {
  db: Db;
  stationId: string;
  now: Date;
  requestedAt: Date;
  /** The last command that was made for this reconciliation, as it ended; undefined before the first. */
  last: CommandRow | undefined;
  log: Log;
}

/**
 * A state that a station is to be brought to. `next` finds the next step from what is known of the station, not from where it was: so any
 * manager can go on, and what has come about by itself need not be done.
 */
export interface DesiredState<Desired> {
  next(desired: Desired, context: ReconciliationContext): Promise<Step>;
  /** Is it looked at again when the station has booted, though it was reached before, or given up? */
  permanent?: true;
  /** Opens reconciliations of this kind where something has changed that is not one station's; called every other second. */
  reopen?(db: Db, now: Date): Promise<unknown>;
}

/** The word with which the last command was answered, if it was one of this action; its failure where there was no answer. */
export function answerTo(
  action: CommandAction,
  last: CommandRow | undefined,
): { status: string; reason: string } | undefined {
  if (last?.action !== action) return undefined;
  const { response, error, status } = last;
  if (status === 'answered') {
    const word = String((response as { status?: unknown } | null)?.status);
    return { status: word, reason: `the station answered ${word} to ${action}` };
  }
  const why = error ? `${error.code}: ${error.description}` : status;
  return { status, reason: `${action} had no answer: ${why}` };
}

/** Was a command given up without an answer: has the station perhaps done it all the same? */
export function isUnanswered({ status }: CommandRow): boolean {
  return status === 'timedOut' || status === 'connectionLost';
}

/** The step that sends a command. */
export function send(action: CommandAction, request: object, doing: string): Step {
  return { do: 'send', action, request, doing };
}

/** Giving up, when the last command was one of this action and the station has refused it, or not answered. */
export function refusalOf(action: CommandAction, last: CommandRow | undefined): Step | undefined {
  const answer = answerTo(action, last);
  if (!answer || ['Accepted', 'RebootRequired'].includes(answer.status)) return undefined;
  // A reset is often answered by the reboot itself.
  if (action === 'Reset' && last && isUnanswered(last)) return undefined;
  return { do: 'failed', reason: answer.reason };
}

/** Was the last command a change of this configuration key? */
export function isChangeOf(key: string, last: CommandRow | undefined): boolean {
  const request = last?.request as { key?: unknown } | undefined;
  return last?.action === 'ChangeConfiguration' && request?.key === key;
}
