import { randomUUID } from 'node:crypto';
import type { Requests, Responses } from '@evander/ocpp';
import { CallRefused, ConnectionClosed } from '../connection/call-errors.ts';
import type { Caller, StationContext } from '../context/station-context.ts';
import { wait } from '../runtime/wait.ts';

/** Messages that must arrive in order and are repeated until they are answered (§3.7.1). */
export type TransactionAction = 'StartTransaction' | 'MeterValues' | 'StopTransaction';

/** Such a message. Its request is built when it is sent, because an earlier answer provides the transactionId. */
export type TransactionMessage<A extends TransactionAction> = {
  action: A;
  request: () => Requests[A];
  onAnswer: (response: Responses[A]) => void;
  onDiscard: () => void;
};

type Queued = {
  action: TransactionAction;
  request: () => object;
  onAnswer: (response: never) => void;
  onDiscard: () => void;
  id: string;
  tries: number;
  refusals: number;
};

/** Transaction messages on their way to the manager. */
export class TransactionQueue {
  readonly #station: StationContext & Caller;
  readonly #messages: Queued[] = [];
  #isRunning = false;
  #whenEmpty: (() => void)[] = [];

  constructor(station: StationContext & Caller) {
    this.#station = station;
  }

  get length(): number {
    return this.#messages.length;
  }

  add<A extends TransactionAction>(message: TransactionMessage<A>): void {
    this.#messages.push({ ...message, id: randomUUID(), tries: 0, refusals: 0 });
    this.deliver();
  }

  /** Resolves once every message is answered or discarded. */
  drained(): Promise<void> {
    if (this.#messages.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenEmpty.push(resolve));
  }

  /** Continues to deliver, if the station may now. */
  deliver(): void {
    if (!this.#isRunning) void this.#run();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    for (let message = this.#messages[0]; message && this.#station.mayReport; message = this.#messages[0]) {
      if (await this.#isCompleted(message)) this.#messages.shift();
    }
    this.#isRunning = false;
    if (this.#messages.length === 0) this.#whenEmpty.splice(0).forEach((resolve) => resolve());
  }

  /** Sends it once. Returns false if it must be sent again. */
  async #isCompleted(message: Queued): Promise<boolean> {
    const { faults } = this.#station;
    if (message.tries++ > 0 && faults.strikes('repeatWithNewId', message.action)) message.id = randomUUID();
    const request = message.request();
    try {
      message.onAnswer((await this.#call(message, request)) as never);
    } catch (error) {
      return this.#isGivenUp(message, error);
    }
    await this.#repeatAnswered(message, request);
    return true;
  }

  async #isGivenUp(message: Queued, error: unknown): Promise<boolean> {
    const { configuration, options, closed, quirks } = this.#station;
    if (message.action === 'StartTransaction' && quirks.startSentOnce) {
      message.onDiscard();
      return true;
    }
    // A lost socket is not a failed attempt: the message is sent again on the next socket.
    if (error instanceof ConnectionClosed) return false;
    const attempts = configuration.integer('TransactionMessageAttempts');
    const intervalMs =
      options.retryIntervalMs ?? configuration.integer('TransactionMessageRetryInterval') * 1000;
    if (error instanceof CallRefused && ++message.refusals >= attempts) {
      message.onDiscard();
      return true;
    }
    await wait(intervalMs * Math.max(1, message.refusals), closed);
    return false;
  }

  #call({ action, id }: Queued, request: object): Promise<unknown> {
    return this.#station.call(action, request as never, id);
  }

  async #repeatAnswered(message: Queued, request: object): Promise<void> {
    const { faults } = this.#station;
    const again: string[] = [];
    if (faults.strikes('repeatAnsweredWithSameId', message.action)) again.push(message.id);
    if (faults.strikes('repeatAnsweredWithNewId', message.action)) again.push(randomUUID());
    for (const id of again) {
      const answer = await this.#call({ ...message, id }, request).catch(() => undefined);
      if (answer !== undefined) message.onAnswer(answer as never);
    }
  }
}
