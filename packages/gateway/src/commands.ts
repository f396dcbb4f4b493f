import type { CallEnvelope, ErrorEnvelope, ResultEnvelope } from '@evander/broker';
import type { CallError, CallResult, Frame, MessageId } from '@evander/ocpp';
import { CallTrace } from './call-trace.ts';

export interface CommandsOptions {
  stationId: string;
  send(frame: Frame): void;
  /**
   * Publishes a station's answer together with the action and request that it answers. `isAcknowledged`: a manager acknowledges the answer.
   */
  publish(answer: ResultEnvelope | ErrorEnvelope, isAcknowledged: boolean): void;
  answerTimeoutMs: number;
}

interface OpenCommand {
  command: CallEnvelope;
  trace: CallTrace;
}

const MAX_REMEMBERED = 200;

/**
 * Sends the managers' calls to one station. Only one is unanswered at a time; the others wait in order (OCPP-J §4.1.1). After a timeout the
 * next call is sent; a late answer is still published with its request.
 */
export class Commands {
  readonly #options: CommandsOptions;
  readonly #queue: OpenCommand[] = [];
  readonly #late = new Map<string, OpenCommand>();
  readonly #seen = new Map<string, true>();
  #pending: OpenCommand | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: CommandsOptions) {
    this.#options = options;
  }

  /** Queues a command. A manager may send a command again; each connection sends it only once. */
  receive(command: CallEnvelope): void {
    if (this.#seen.has(command.id)) return;
    remember(this.#seen, command.id, true);
    const trace = CallTrace.ofCommand(this.#options.stationId, command.action, command.id);
    this.#queue.push({ command, trace });
    if (!this.#pending) this.#sendNext();
  }

  /** Publishes a station's answer; false when it answers none of the managers' calls. */
  answer(frame: CallResult | CallError, receivedAt: string): boolean {
    const id = String(frame.id);
    const answered = this.#pending?.command.id === id ? this.#pending : this.#late.get(id);
    if (!answered) return false;
    const { command, trace } = answered;
    const { action, request } = command;
    const question = { id, action, request, received_at: receivedAt };
    const answer: ResultEnvelope | ErrorEnvelope =
      frame.type === 3
        ? { type: 3, ...question, response: frame.payload }
        : {
            type: 4,
            ...question,
            error_code: frame.code,
            error_description: frame.description,
            error_details: frame.details,
          };
    trace.within(() => this.#options.publish(answer, command.ack === true));
    trace.end(frame.type === 4 ? frame.code : undefined);
    this.#late.delete(id);
    if (answered === this.#pending) this.#sendNext();
    return true;
  }

  /** Ends the call that an unreadable frame should have answered: no other answer will come. */
  answerUnreadable(id: MessageId, reason: string, receivedAt: string): void {
    const description = `the answer cannot be read: ${reason}`;
    this.answer({ type: 4, id, code: 'FormationViolation', description, details: {} }, receivedAt);
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const { trace } of [...this.#queue, ...(this.#pending ? [this.#pending] : [])])
      trace.end('the connection ended before the answer');
    this.#queue.length = 0;
    this.#pending = undefined;
  }

  #sendNext(): void {
    clearTimeout(this.#timer);
    this.#pending = this.#queue.shift();
    if (!this.#pending) return;
    const { id, action, request } = this.#pending.command;
    this.#timer = setTimeout(() => this.#giveUp(), this.#options.answerTimeoutMs);
    this.#options.send({ type: 2, id, action, payload: request });
  }

  #giveUp(): void {
    this.#pending?.trace.end('no answer in time');
    if (this.#pending) remember(this.#late, this.#pending.command.id, this.#pending);
    this.#sendNext();
  }
}

/** Keeps only the newest entries: a station that never answers must not exhaust the memory. */
function remember<V>(memory: Map<string, V>, id: string, value: V): void {
  memory.set(id, value);
  if (memory.size <= MAX_REMEMBERED) return;
  const [oldest] = memory.keys();
  if (oldest !== undefined) memory.delete(oldest);
}
