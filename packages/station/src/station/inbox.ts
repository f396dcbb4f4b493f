import {
  checkPayload,
  isAction,
  mayBeSentBy,
  OcppError,
  parseFrame,
  type Action,
  type Call,
  type CallError,
  type CallResult,
} from '@evander/ocpp';
import type { Violation } from '../context/station-events.ts';
import type { Answers, ScriptedAnswer } from '../faults/answers.ts';
import { restart } from '../lifecycle/restart.ts';
import type { CommandedStation } from '../messages/commanded-station.ts';
import { messages } from '../messages/index.ts';
import { unknownAnswer } from '../options/quirks.ts';
import { wait } from '../runtime/wait.ts';

/** Parts of the station that the inbox uses. */
export type InboxContext = CommandedStation & { readonly answers: Answers };

/** The inbox's station and its connection. */
export type InboxOptions = {
  station: InboxContext;
  /** The open call for an answer with this id. */
  openCall: (id: unknown) => { action: string; latencyMs: number } | undefined;
  settle: (answer: CallResult | CallError) => void;
  send: (frame: CallResult | CallError) => Promise<void>;
  drop: () => void;
  record: (violation: Violation) => void;
};

/** Reads incoming messages: answers to the station's calls, and commands, which it answers. */
export class Inbox {
  readonly #options: InboxOptions;
  #beforeAnswer: (() => Promise<unknown>)[] = [];
  #afterAnswer: (() => unknown)[] = [];

  constructor(options: InboxOptions) {
    this.#options = options;
  }

  /** The answer to the current command waits for this. */
  beforeAnswer(cause: () => Promise<unknown>): void {
    this.#beforeAnswer.push(cause);
  }

  /** Runs once the current command is answered (OCPP requires the answer first, then the effect). */
  afterAnswer(effect: () => unknown): void {
    this.#afterAnswer.push(effect);
  }

  read(data: string | Buffer): void {
    const text = data.toString();
    if (typeof data !== 'string') return this.#record({ kind: 'frame', fault: 'a binary frame', text });
    const frame = parseFrame(text);
    if (frame.type === 'blank') return;
    if (frame.type === 'malformed') this.#record({ kind: 'frame', fault: frame.reason, text });
    else if (frame.type === 2) void this.#answerCommand(frame, text);
    else this.#readAnswer(frame, text);
  }

  #readAnswer(answer: CallResult | CallError, text: string): void {
    const { station, openCall, settle, drop } = this.#options;
    const call = openCall(answer.id);
    if (!call) {
      // The answer to a call that was given up, or to a malformed frame.
      station.ledger.counters.unmatchedAnswers++;
      return;
    }
    const { action, latencyMs } = call;
    if (station.faults.strikes('dropSocketAtAnswer', action)) return drop();
    const isError = answer.type === 4;
    station.ledger.counters[isError ? 'callErrors' : 'callsAnswered']++;
    if (!isError && isAction(action))
      this.#check({ action, kind: 'response', payload: answer.payload, text });
    settle(answer);
    const error = answer.type === 4 ? `${answer.code} ${answer.description}`.trim() : undefined;
    station.emit('answered', { action, latencyMs, isError, ...(error !== undefined && { error }) });
  }

  async #answerCommand(call: Call, text: string): Promise<void> {
    const { station, send, drop } = this.#options;
    const { action } = call;
    // §4.2: a rejected station does not respond to anything.
    if (station.registrationStatus === 'Rejected') return;
    if (station.faults.strikes('leaveCommandUnanswered', action)) return;
    if (station.faults.strikes('dropSocketAtCommand', action)) return drop();
    const scripted = station.answers.take(action) ?? unknownAnswer(station.quirks, action);
    if (scripted !== undefined && isAction(action))
      this.#check({ action, kind: 'request', payload: call.payload, text });
    if (scripted === 'silence') return;
    if (scripted === 'dropSocket') return drop();
    if (scripted === 'crash') return restart(station, { reason: 'Reboot' }).catch(() => undefined);
    if (scripted?.afterMs !== undefined) await wait(scripted.afterMs, station.closed);
    const answer = scriptedFrame(call, scripted) ?? this.#handle(call, text);
    const causes = this.#beforeAnswer.splice(0);
    const effects = this.#afterAnswer.splice(0);
    for (const cause of causes) await cause().catch(() => undefined);
    await send(answer).catch(() => undefined);
    station.emit('command', action, outcomeOf(answer));
    // An effect fails if its connection does; the manager notices that it is missing.
    for (const effect of effects) void Promise.resolve(effect()).catch(() => undefined);
  }

  #handle({ id, action, payload }: Call, text: string): CallResult | CallError {
    try {
      if (!isAction(action)) throw new OcppError('NotImplemented', `${action} is no action of OCPP 1.6`);
      if (!mayBeSentBy('manager', action)) throw new OcppError('NotSupported', `${action} is no command`);
      const fault = this.#check({ action, kind: 'request', payload, text });
      if (fault) throw fault;
      const response = (messages[action] as (station: CommandedStation, request: object) => object)(
        this.#options.station,
        payload,
      );
      checkPayload(action, 'response', response);
      return { type: 3, id, payload: response as Record<string, unknown> };
    } catch (error) {
      const { code, message, details } =
        error instanceof OcppError ? error : new OcppError('InternalError', String(error));
      return { type: 4, id, code, description: message, details };
    }
  }

  #check(options: {
    action: Action;
    kind: 'request' | 'response';
    payload: unknown;
    text: string;
  }): OcppError | undefined {
    const { action, kind, payload, text } = options;
    try {
      checkPayload(action, kind, payload);
      return undefined;
    } catch (error) {
      if (!(error instanceof OcppError)) throw error;
      this.#record({ kind, action, fault: `${error.code}: ${error.message}`, text });
      return error;
    }
  }

  #record(violation: Violation): void {
    this.#options.record(violation);
  }
}

/** The status of an answer, or its error's code. */
function outcomeOf(answer: CallResult | CallError): string {
  if (answer.type === 4) return answer.code;
  const { status } = answer.payload as { status?: unknown };
  return typeof status === 'string' ? status : 'answered';
}

function scriptedFrame(
  { id }: Call,
  scripted: Exclude<ScriptedAnswer, string> | undefined,
): CallResult | CallError | undefined {
  if (!scripted) return undefined;
  if ('response' in scripted) return { type: 3, id, payload: { ...scripted.response } };
  if (!('error' in scripted)) return undefined;
  return {
    type: 4,
    id,
    code: scripted.error,
    description: scripted.description ?? 'on request',
    details: {},
  };
}
