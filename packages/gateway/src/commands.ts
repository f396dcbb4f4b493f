import type { CallEnvelope, ErrorEnvelope, ResultEnvelope } from '@evander/broker';
import type { CallError, CallResult, Frame, MessageId } from '@evander/ocpp';
import { CallTrace } from './call-trace.ts';

export interface CommandsOptions {
  stationId: string;
  send(frame: Frame): void;
  /** Publishes a station's answer, with the action and the request that it answers; will a manager acknowledge it? */
  publish(answer: ResultEnvelope | ErrorEnvelope, isAcknowledged: boolean): void;
  answerTimeoutMs: number;
}

interface OpenCommand {
  command: CallEnvelope;
  trace: CallTrace;
}

const REMEMBERED = 200;

/**
 * The managers' calls to one station: one unanswered at a time, the others wait in order (OCPP-J §4.1.1). After a timeout the next
 * goes out; a late answer is still passed on with its question.
 */
export class Commands {
  readonly #options: CommandsOptions;
  readonly #queue: OpenCommand[] = [];
  readonly #late = new Map<string, OpenCommand>();
  readonly #seen = new Map<string, true>();
  #open: OpenCommand | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: CommandsOptions) {
    this.#options = options;
  }

  /** Queues a command. A manager may send one again; on one connection it goes out once. */
  receive(command: CallEnvelope): void {
    if (this.#seen.has(command.id)) return;
    remember(this.#seen, command.id, true);
    const trace = CallTrace.ofCommand(this.#options.stationId, command.action, command.id);
    this.#queue.push({ command, trace });
    if (!this.#open) this.#sendNext();
  }

  /** Passes a station's answer on; false when it answers none of our calls. */
  answer(frame: CallResult | CallError, receivedAt: string): boolean {
    const id = String(frame.id);
    const answered = this.#open?.command.id === id ? this.#open : this.#late.get(id);
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
    if (answered === this.#open) this.#sendNext();
    return true;
  }

  /** Ends the call of ours that a frame was to answer which cannot be read: whatever it said, no other answer will come. */
  answerUnreadable(id: MessageId, reason: string, receivedAt: string): void {
    const description = `the answer cannot be read: ${reason}`;
    this.answer({ type: 4, id, code: 'FormationViolation', description, details: {} }, receivedAt);
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const { trace } of [...this.#queue, ...(this.#open ? [this.#open] : [])])
      trace.end('the connection ended before the answer');
    this.#queue.length = 0;
    this.#open = undefined;
  }

  #sendNext(): void {
    clearTimeout(this.#timer);
    this.#open = this.#queue.shift();
    if (!this.#open) return;
    const { id, action, request } = this.#open.command;
    this.#timer = setTimeout(() => this.#giveUp(), this.#options.answerTimeoutMs);
    this.#options.send({ type: 2, id, action, payload: request });
  }

  #giveUp(): void {
    this.#open?.trace.end('no answer in time');
    if (this.#open) remember(this.#late, this.#open.command.id, this.#open);
    this.#sendNext();
  }
}

/** Keeps the newest entries only: a station that never answers must not fill the memory. */
function remember<V>(memory: Map<string, V>, id: string, value: V): void {
  memory.set(id, value);
  if (memory.size <= REMEMBERED) return;
  const [oldest] = memory.keys();
  if (oldest !== undefined) memory.delete(oldest);
}
