import { randomUUID } from 'node:crypto';
import type { Call, Frame } from '@evander/ocpp';
import { CallRefused, CallTimedOut, ConnectionClosed } from './call-errors.ts';

type PendingCall = {
  id: string;
  action: string;
  payload: Record<string, unknown>;
  resolve: (payload: unknown) => void;
  reject: (error: Error) => void;
  sentAtMs: number;
  timer?: NodeJS.Timeout;
};

/** Parts of the station that `Calls` uses. */
export type CallsOptions = {
  send: (frame: Call) => Promise<void>;
  answerTimeoutMs: number;
  onSent: (action: string, payload: Record<string, unknown>) => void;
};

/** The station's calls: at most one is unanswered, the others wait in order (OCPP-J §4.1.1). */
export class Calls {
  readonly #options: CallsOptions;
  #waiting: PendingCall[] = [];
  #current: PendingCall | undefined;

  constructor(options: CallsOptions) {
    this.#options = options;
  }

  /** Resolves with the answer's payload; rejects with CallRefused, CallTimedOut or ConnectionClosed. */
  call(action: string, payload: object, id: string = randomUUID()): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ id, action, payload: { ...payload }, resolve, reject, sentAtMs: 0 });
      this.#sendNext();
    });
  }

  /** The open call with this id, if any. */
  openCall(id: unknown): { action: string; latencyMs: number } | undefined {
    const call = this.#current;
    if (call?.id !== id || !call) return undefined;
    return { action: call.action, latencyMs: performance.now() - call.sentAtMs };
  }

  /** Passes the answer to the open call. */
  settle(answer: Extract<Frame, { type: 3 | 4 }>): void {
    const call = this.#take();
    if (answer.type === 3) call?.resolve(answer.payload);
    else call?.reject(new CallRefused(answer.code, answer.description, answer.details));
    this.#sendNext();
  }

  /** Fails all calls: the socket is gone. */
  failAll(): void {
    const current = this.#take();
    const waiting = this.#waiting.splice(0);
    for (const call of current ? [current, ...waiting] : waiting) {
      call.reject(new ConnectionClosed(call.action));
    }
  }

  #sendNext(): void {
    if (this.#current) return;
    const call = this.#waiting.shift();
    if (!call) return;
    const { send, answerTimeoutMs, onSent } = this.#options;
    this.#current = call;
    call.sentAtMs = performance.now();
    call.timer = setTimeout(
      () => this.#fail(call, new CallTimedOut(call.action, answerTimeoutMs)),
      answerTimeoutMs,
    );
    const { id, action, payload } = call;
    send({ type: 2, id, action, payload }).then(
      () => onSent(action, payload),
      (error: Error) => this.#fail(call, error),
    );
  }

  #fail(call: PendingCall, error: Error): void {
    if (this.#current !== call) return;
    this.#take();
    call.reject(error);
    this.#sendNext();
  }

  #take(): PendingCall | undefined {
    const call = this.#current;
    clearTimeout(call?.timer);
    this.#current = undefined;
    return call;
  }
}
