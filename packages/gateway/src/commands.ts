import type { CallEnvelope, ErrorEnvelope, ResultEnvelope } from '@evander/broker';
import type { CallError, CallResult, Frame } from '@evander/ocpp';

export interface CommandsOptions {
  send(frame: Frame): void;
  /** Publishes a station's answer, with the action and the request that it answers. */
  publish(answer: ResultEnvelope | ErrorEnvelope): void;
  answerTimeoutMs: number;
}

const REMEMBERED = 200;

/**
 * The managers' calls to one station: one unanswered at a time, the others wait in order (OCPP-J §4.1.1). After a timeout the next
 * goes out; a late answer is still passed on with its question.
 */
export class Commands {
  readonly #options: CommandsOptions;
  readonly #queue: CallEnvelope[] = [];
  readonly #late = new Map<string, CallEnvelope>();
  readonly #seen = new Map<string, true>();
  #open: CallEnvelope | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: CommandsOptions) {
    this.#options = options;
  }

  /** Queues a command. A manager may send one again; on one connection it goes out once. */
  receive(command: CallEnvelope): void {
    if (this.#seen.has(command.id)) return;
    remember(this.#seen, command.id, true);
    this.#queue.push(command);
    if (!this.#open) this.#sendNext();
  }

  /** Passes a station's answer on; false when it answers none of our calls. */
  answer(frame: CallResult | CallError, receivedAt: string): boolean {
    const id = String(frame.id);
    const command = this.#open?.id === id ? this.#open : this.#late.get(id);
    if (!command) return false;
    const { action, request } = command;
    const question = { id, action, request, received_at: receivedAt };
    this.#options.publish(
      frame.type === 3
        ? { type: 3, ...question, response: frame.payload }
        : {
            type: 4,
            ...question,
            error_code: frame.code,
            error_description: frame.description,
            error_details: frame.details,
          },
    );
    this.#late.delete(id);
    if (command === this.#open) this.#sendNext();
    return true;
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#queue.length = 0;
    this.#open = undefined;
  }

  #sendNext(): void {
    clearTimeout(this.#timer);
    this.#open = this.#queue.shift();
    if (!this.#open) return;
    const { id, action, request } = this.#open;
    this.#timer = setTimeout(() => this.#giveUp(), this.#options.answerTimeoutMs);
    this.#options.send({ type: 2, id, action, payload: request });
  }

  #giveUp(): void {
    if (this.#open) remember(this.#late, this.#open.id, this.#open);
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
