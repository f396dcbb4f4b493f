import type { ErrorEnvelope, ResultEnvelope } from '@evander/broker';
import { isAction, mayBeSentBy, OcppError, readPayload } from '@evander/ocpp';
import type { CommandAction } from '@evander/ocpp';
import { Redaction } from '@evander/process';
import type { Db } from '../database/database.ts';
import { faultOf } from '../database/storage-error.ts';
import * as commandList from './command-list.store.ts';
import { CommandNotSent, isUnknownAction, RuleViolation } from './command.ts';
import type { Command, CommandContext, Failure, Instead } from './command.ts';
import * as commands from './commands.store.ts';
import type { Completed, Outcome } from './commands.store.ts';
import { repeatableActions } from './options.ts';
import type { CallMakerOptions } from './options.ts';
import { openRequest } from './request.ts';

const COMMAND_ID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;
/** How long after a command was given up a late answer may arrive, whose handler needs the command's secret. */
const LATE_MS = 600_000;
/** A station may answer a Reset and close: the close may be recorded before the answer arrives. */
const CLOSE_MS = 2000;

/** Records a command within a database transaction; another manager may send it. */
export type RecordCommand = (
  db: Db,
  call: Instead & { stationId: string; requestedBy?: string | null },
) => Promise<unknown>;
type Answer = ResultEnvelope | ErrorEnvelope;
/** A parsed answer: a valid response, or why there is none. */
type Reading = { response: object } | Failure;

/** Completes commands. Answers are applied in the database transaction that records them, so exactly once. */
export class Completion {
  readonly #options: CallMakerOptions;
  readonly #redaction: Redaction;
  readonly #record: RecordCommand;

  constructor(options: CallMakerOptions, record: RecordCommand) {
    this.#options = options;
    this.#record = record;
    this.#redaction = new Redaction(options.hiddenDataTransfers);
  }

  /** Stores and applies a station's answer. Rejects if it could not be stored. */
  async onAnswer(stationId: string, answer: Answer, at: Date): Promise<void> {
    const { id, action } = answer;
    if (!COMMAND_ID.test(id) || !isAction(action) || !mayBeSentBy('manager', action)) return;
    const redacted = this.#redacted(answer);
    // The sender of a DataTransfer needs the full answer, although its record is redacted.
    const reading = readAnswer(action, answer.type === 3 && action === 'DataTransfer' ? answer : redacted);
    const outcome = outcomeOf(stationId, redacted, { reading, at });
    try {
      await this.#complete(outcome, reading);
    } catch (error) {
      if (faultOf(error) === 'transient') throw error;
      // The answer must not be lost because it could not be applied.
      this.#options.log.error({ stationId, action, commandId: id, err: error }, 'an answer had no effect');
      await commands.complete(this.#options.database, outcome);
    }
  }

  // The request comes back with the answer, so that its secrets are redacted wherever the station echoes them.
  #redacted(answer: Answer): Answer {
    const { action, request } = answer;
    const hide = (payload: object): Record<string, unknown> => ({
      ...this.#redaction.answer(action, payload, request),
    });
    if (answer.type === 3) return { ...answer, response: hide(answer.response) };
    const description = this.#redaction.text(action, answer.error_description, request);
    return { ...answer, error_description: description, error_details: hide(answer.error_details ?? {}) };
  }

  /** Completes commands sent since `sentSince` that timed out or lost their connection; resolves with them. */
  async giveUp(sentSince: Date): Promise<{ stationId: string; commandId: string }[]> {
    const { database, now, answerTimeoutMs, metrics } = this.#options;
    const at = now();
    const lost = await commands.loseConnection(database, {
      now: at,
      sentSince,
      repeatable: repeatableActions(this.#options.commands),
      endedBefore: new Date(at.getTime() - CLOSE_MS),
    });
    const sentBefore = new Date(at.getTime() - answerTimeoutMs);
    const timedOut = await commands.timeOut(database, { now: at, sentSince, sentBefore });
    for (const { action } of lost) metrics.countCommand(action, 'connectionLost');
    for (const { action } of timedOut) metrics.countCommand(action, 'timedOut');
    await commands.forgetSecrets(database, new Date(at.getTime() - LATE_MS));
    return [...lost, ...timedOut];
  }

  /** Completes commands that have waited too long for their station; resolves with them. */
  async expire(): Promise<{ stationId: string; commandId: string }[]> {
    const { database, now, metrics } = this.#options;
    const at = now();
    const expired = await database.transaction(async (db) => {
      const completed = await commands.expire(db, at);
      const failure: Failure = { status: 'expired', reason: 'the station did not connect in time' };
      for (const command of completed) await this.#fail(db, command, failure);
      return completed;
    });
    for (const { action } of expired) metrics.countCommand(action, 'expired');
    return expired;
  }

  async #complete(outcome: Outcome, reading: Reading): Promise<void> {
    const { database, sealer, metrics } = this.#options;
    await database.transaction(async (db) => {
      const completed = await commands.complete(db, outcome);
      if (!completed) return;
      const seconds = (outcome.at.getTime() - completed.sentAt.getTime()) / 1000;
      metrics.countCommand(completed.action, outcome.status, Math.max(0, seconds));
      if ('reason' in reading) {
        await this.#fail(db, completed, reading);
        if (isUnknownAction(outcome.error?.code)) await this.#sendInstead(db, completed);
        return;
      }
      const request = openRequest(completed, sealer);
      const sent = { request, sentAt: completed.sentAt };
      await this.#fileOf(completed.action).onAnswer?.(reading.response, sent, this.#context(db, completed));
    });
  }

  async #fail(db: Db, command: Completed, failure: Failure): Promise<void> {
    const context = this.#context(db, command);
    await this.#fileOf(command.action).onFailure?.(failure, command.request, context);
  }

  async #sendInstead(db: Db, command: Completed): Promise<void> {
    const { instead } = this.#fileOf(command.action);
    if (!instead) return;
    const { stationId, commandId } = command;
    const context = this.#context(db, command);
    const other = await instead(openRequest(command, this.#options.sealer), context);
    if (!other) return;
    const requestedBy = (await commandList.get(db, commandId))?.requestedBy ?? null;
    try {
      await this.#record(db, { ...other, stationId, requestedBy });
    } catch (error) {
      // It was refused before anything was recorded, so the original command stays failed.
      if (!(error instanceof RuleViolation || error instanceof CommandNotSent)) throw error;
      context.log.info({ err: error, instead: other.action }, 'the replacement command was refused');
    }
  }

  #fileOf(action: CommandAction): AnyCommand {
    // An action, its request and its response belong together; the compiler cannot follow that through a lookup.
    return this.#options.commands[action];
  }

  #context(db: Db, { stationId, commandId, action }: Completed): CommandContext {
    const { now, passwordPepper, log } = this.#options;
    return {
      db,
      stationId,
      commandId,
      now: now(),
      passwordPepper,
      log: log.child({ stationId, commandId, action }),
    };
  }
}

/** A command file whose action is known only at run time. */
interface AnyCommand extends Pick<Command<never>, 'onFailure'> {
  onAnswer?(
    response: object,
    sent: { request: object; sentAt: Date },
    context: CommandContext,
  ): Promise<void>;
  instead?(request: object, context: CommandContext): Promise<Instead | undefined>;
  onFailure?(failure: Failure, request: object, context: CommandContext): Promise<void>;
}

function readAnswer(action: CommandAction, answer: Answer): Reading {
  if (answer.type === 4)
    return { status: 'failed', reason: `${answer.error_code}: ${answer.error_description}` };
  try {
    return { response: readPayload(action, 'response', answer.response).payload };
  } catch (error) {
    if (!(error instanceof OcppError)) throw error;
    return { status: 'failed', reason: `the answer cannot be read: ${error.message}` };
  }
}

function outcomeOf(
  stationId: string,
  answer: Answer,
  { reading, at }: { reading: Reading; at: Date },
): Outcome {
  const { id: commandId } = answer;
  const common = { commandId, stationId, at };
  if (answer.type === 4) {
    const { error_code: code, error_description: description, error_details: details = {} } = answer;
    return { ...common, status: 'failed', response: null, error: { code, description, details } };
  }
  const { response } = answer;
  if (!('reason' in reading)) return { ...common, status: 'answered', response, error: null };
  const error = { code: 'FormationViolation', description: reading.reason, details: {} };
  return { ...common, status: 'failed', response, error };
}
