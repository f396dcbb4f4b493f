import type { Envelope } from '@evander/broker';
import { failsFast } from '@evander/ocpp';
import type { Call, Frame, MessageId } from '@evander/ocpp';
import type { Log } from '@evander/process';
import { CallTrace } from './call-trace.ts';
import type { QueuedBytes } from './queued-bytes.ts';

export interface StationCallsOptions {
  stationId: string;
  /** Sends a frame to the station. */
  send(frame: Frame): void;
  /** Publishes a call to the managers. */
  publish(call: Call, receivedAt: string): void;
  /** Called with true when the queue exceeds its limit and with false when it has shrunk. The socket must be paused in between. */
  setPaused(paused: boolean): void;
  /** Shared by all stations. */
  queuedBytes: QueuedBytes;
  /** Delays before the second, third … publication, in ms; the last one repeats. */
  repeatDelaysMs: readonly number[];
  /** A call that fails fast is answered with InternalError if no manager has answered it after this time. */
  failFastMs: number;
  log: Log;
}

interface WaitingCall {
  call: Call;
  receivedAt: string;
  bytes: number;
  publications: number;
  failFast: NodeJS.Timeout | undefined;
  trace: CallTrace;
}

/** The socket is paused above this limit and resumed below half of it. */
const QUEUE_LIMIT = { frames: 50, bytes: 262_144 } as const;

/**
 * The unanswered calls of one station. The first is published to the managers, and again until it is answered (DESIGN.md, invariant 1). The
 * others wait, so that any mix of managers sees them in order. Only calls that fail fast are given up, wherever they are in the queue: a
 * driver waits at the station, and the station has its own rules for an unreachable central system.
 */
export class StationCalls {
  readonly #options: StationCallsOptions;
  readonly #queue: WaitingCall[] = [];
  #timer: NodeJS.Timeout | undefined;
  #bytes = 0;
  #paused = false;
  #whenEmpty: (() => void) | undefined;

  constructor(options: StationCallsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#queue.length;
  }

  get isEmpty(): boolean {
    return this.#queue.length === 0;
  }

  /** Queues a call; `bytes` is the size of its frame. */
  receive(call: Call, receivedAt: string, bytes: number): void {
    const duplicate = this.#queue.find((waiting) => isSameId(waiting.call.id, call.id));
    if (duplicate) {
      this.#receiveAgain(call, duplicate.call);
      return;
    }
    const trace = CallTrace.ofStation(this.#options.stationId, call.action, String(call.id));
    const waiting: WaitingCall = { call, receivedAt, bytes, publications: 0, failFast: undefined, trace };
    if (failsFast(call.action))
      waiting.failFast = setTimeout(() => this.#giveUp(waiting), this.#options.failFastMs);
    this.#queue.push(waiting);
    this.#bytes += bytes;
    this.#options.queuedBytes.add(bytes);
    if (this.#queue.length === 1) this.#publish();
    this.#setPaused();
  }

  /** Sends a manager's answer to the station. False when it answers no open call: a repeat, or a call on an earlier connection. */
  answer(envelope: Envelope): boolean {
    const open = this.#queue[0];
    if (!open || envelope.type === 2 || !answers(envelope, open)) return false;
    const { id } = open.call;
    this.#options.send(
      envelope.type === 3
        ? { type: 3, id, payload: envelope.response }
        : {
            type: 4,
            id,
            code: envelope.error_code,
            description: envelope.error_description,
            details: envelope.error_details ?? {},
          },
    );
    this.#remove(open, envelope.type === 4 ? envelope.error_code : undefined);
    return true;
  }

  /** Publishes the open call again: the broker is back and may have lost it. */
  publishAgain(): void {
    if (!this.isEmpty) this.#publish();
  }

  /** Resolves when every call is answered. */
  async emptied(): Promise<void> {
    if (this.isEmpty) return;
    await new Promise<void>((resolve) => {
      this.#whenEmpty = resolve;
    });
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const { trace, failFast } of this.#queue) {
      clearTimeout(failFast);
      trace.end('the connection ended before the answer');
    }
    this.#queue.length = 0;
    this.#release(this.#bytes);
    this.#whenEmpty?.();
  }

  #release(bytes: number): void {
    this.#bytes -= bytes;
    this.#options.queuedBytes.remove(bytes);
  }

  // A reused id: the same call is a repeat and is answered once; a different call is an error (OCPP-J §4.2.3; ERR.8).
  #receiveAgain(call: Call, open: Call): void {
    if (call.action === open.action && JSON.stringify(call.payload) === JSON.stringify(open.payload)) return;
    this.#options.send({
      type: 4,
      id: call.id,
      code: 'GenericError',
      description: 'this message id is in use by a call that is not answered yet',
      details: {},
    });
  }

  // A late answer finds no open call and is dropped.
  #giveUp(waiting: WaitingCall): void {
    const { id, action } = waiting.call;
    const { failFastMs, log } = this.#options;
    log.warn({ id, action }, `no answer within ${failFastMs / 1000} s: answered with InternalError`);
    this.#options.send({
      type: 4,
      id,
      code: 'InternalError',
      description: 'the central system cannot answer at the moment',
      details: {},
    });
    this.#remove(waiting, 'InternalError');
  }

  #remove(waiting: WaitingCall, error: string | undefined): void {
    waiting.trace.end(error);
    clearTimeout(waiting.failFast);
    const index = this.#queue.indexOf(waiting);
    this.#queue.splice(index, 1);
    this.#release(waiting.bytes);
    if (index === 0) clearTimeout(this.#timer);
    if (this.isEmpty) this.#whenEmpty?.();
    else if (index === 0) this.#publish();
    this.#setPaused();
  }

  #publish(): void {
    const open = this.#queue[0];
    if (!open) return;
    clearTimeout(this.#timer);
    const { repeatDelaysMs } = this.#options;
    const delayMs = repeatDelaysMs[open.publications] ?? repeatDelaysMs.at(-1) ?? 15_000;
    open.publications++;
    // Jitter of ±10 %, or all stations of a gateway would repeat at the same moment.
    this.#timer = setTimeout(() => this.#publish(), delayMs * (0.9 + Math.random() * 0.2));
    open.trace.within(() => this.#options.publish(open.call, open.receivedAt));
  }

  #setPaused(): void {
    const paused = this.#isTooLong(this.#paused ? 0.5 : 1);
    if (paused === this.#paused) return;
    this.#paused = paused;
    this.#options.setPaused(paused);
  }

  // A paused station has calls here, so checking at every answer is enough to resume in time.
  #isTooLong(fraction: number): boolean {
    if (this.isEmpty) return false;
    if (this.#options.queuedBytes.isOverLimit) return true;
    return this.#queue.length > QUEUE_LIMIT.frames * fraction || this.#bytes > QUEUE_LIMIT.bytes * fraction;
  }
}

// 17 and "17" are different ids.
function isSameId(one: MessageId, other: MessageId): boolean {
  return typeof one === typeof other && String(one) === String(other);
}

// A station may reuse an id: a late second answer to an older call must not count for this one.
function answers(envelope: Envelope, open: WaitingCall): boolean {
  if (envelope.id !== String(open.call.id) || envelope.action !== open.call.action) return false;
  return envelope.received_at === undefined || envelope.received_at === open.receivedAt;
}
