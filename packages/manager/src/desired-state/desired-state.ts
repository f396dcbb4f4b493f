import type { CommandAction } from '@evander/ocpp';
import type { Log } from '@evander/process';
import type { CommandRow } from '../commands/command-list.store.ts';
import type { Db } from '../database/database.ts';

/** The next step of a reconciliation. */
export type Step =
  /** Sends a command; the reconciliation is checked again when the command is completed. */
  | { do: 'send'; action: CommandAction; request: object; doing: string }
  /** Checks again after this many seconds, or as soon as the station connects, boots or completes a command. */
  | { do: 'wait'; doing: string; seconds: number }
  | { do: 'succeeded' }
  | { do: 'failed'; reason: string };

export interface ReconciliationContext {
  db: Db;
  stationId: string;
  now: Date;
  requestedAt: Date;
  /** The last command of this reconciliation, which is completed; undefined before the first. */
  last: CommandRow | undefined;
  log: Log;
}

/**
 * A kind of desired state. `next` derives the next step from what is known of the station, not from previous steps. So any manager can
 * continue, and steps that are no longer needed are skipped.
 */
export interface DesiredState<Desired> {
  next(desired: Desired, context: ReconciliationContext): Promise<Step>;
  /** Whether it is checked again after each boot, even if it had succeeded or failed. */
  permanent?: true;
  /** Reopens reconciliations of this kind after changes that concern several stations; called every two seconds. */
  reopen?(db: Db, now: Date): Promise<unknown>;
}

/** The status in the answer to the last command, if it was of this action; without an answer, the command's own status. */
export function answerTo(
  action: CommandAction,
  last: CommandRow | undefined,
): { status: string; reason: string } | undefined {
  if (last?.action !== action) return undefined;
  const { response, error, status } = last;
  if (status === 'answered') {
    const answered = String((response as { status?: unknown } | null)?.status);
    return { status: answered, reason: `the station answered ${answered} to ${action}` };
  }
  const why = error ? `${error.code}: ${error.description}` : status;
  return { status, reason: `${action} failed: ${why}` };
}

/** Whether a command was given up without an answer. The station may have executed it anyway. */
export function isUnanswered({ status }: CommandRow): boolean {
  return status === 'timedOut' || status === 'connectionLost';
}

/** The step that sends a command. */
export function send(action: CommandAction, request: object, doing: string): Step {
  return { do: 'send', action, request, doing };
}

/** A `failed` step if the last command was of this action and the station refused or did not answer it; undefined otherwise. */
export function refusalOf(action: CommandAction, last: CommandRow | undefined): Step | undefined {
  const answer = answerTo(action, last);
  if (!answer || ['Accepted', 'RebootRequired'].includes(answer.status)) return undefined;
  // Stations often reboot instead of answering a Reset.
  if (action === 'Reset' && last && isUnanswered(last)) return undefined;
  return { do: 'failed', reason: answer.reason };
}

/** Whether the last command was a change of this configuration key. */
export function isChangeOf(key: string, last: CommandRow | undefined): boolean {
  const request = last?.request as { key?: unknown } | undefined;
  return last?.action === 'ChangeConfiguration' && request?.key === key;
}
