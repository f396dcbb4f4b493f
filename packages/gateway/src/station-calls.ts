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
  /** Called when the queue grows past its limit, and when it has shrunk again: the socket is to pause meanwhile. */
  setPaused(paused: boolean): void;
  /** Shared by all stations. */
  queuedBytes: QueuedBytes;
  /** Waits before the second, third … publication, in ms; the last one is used from there on. */
  repeatDelaysMs: readonly number[];
  /** A call that fails fast is answered InternalError when no manager has answered it by then. */
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

/** The socket is paused above this, and read again below half of it. */
const QUEUE_LIMIT = { frames: 50, bytes: 262_144 } as const;

/**
 * The calls of one station that are not answered yet. The first is with the managers and is published again until it is
 * answered (DESIGN.md, invariant 1); the others wait, so that any mix of managers sees them in order. Only what fails fast is given up,
 * wherever it waits: a person stands at the plug, and the station has rules of its own for a central system that is away.
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

  /** Takes a call whose frame had so many bytes. */
  receive(call: Call, receivedAt: string, bytes: number): void {
    const twin = this.#queue.find((waiting) => isSameId(waiting.call.id, call.id));
    if (twin) {
      this.#receiveAgain(call, twin.call);
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

  /** Passes a manager's answer on to the station. False when it answers no open call: a repeat, or one of a connection before. */
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

  /** Publishes the open call once more: the broker has come back and may have lost it. */
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

  // An id in use again: the same call is a repeat and answered once, another one is a fault (OCPP-J §4.2.3; ERR.8).
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

  // An answer that comes after all finds no open call, and is dropped.
  #giveUp(waiting: WaitingCall): void {
    const { id, action } = waiting.call;
    const { failFastMs, log } = this.#options;
    log.warn({ id, action }, `no answer within ${failFastMs / 1000} s: answered InternalError`);
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
    const place = this.#queue.indexOf(waiting);
    this.#queue.splice(place, 1);
    this.#release(waiting.bytes);
    if (place === 0) clearTimeout(this.#timer);
    if (this.isEmpty) this.#whenEmpty?.();
    else if (place === 0) this.#publish();
    this.#setPaused();
  }

  #publish(): void {
    const open = this.#queue[0];
    if (!open) return;
    clearTimeout(this.#timer);
    const { repeatDelaysMs } = this.#options;
    const delayMs = repeatDelaysMs[open.publications] ?? repeatDelaysMs.at(-1) ?? 15_000;
    open.publications++;
    // Spread by a fifth, or all stations of a gateway would ask again in the same moment.
    this.#timer = setTimeout(() => this.#publish(), delayMs * (0.9 + Math.random() * 0.2));
    open.trace.within(() => this.#options.publish(open.call, open.receivedAt));
  }

  #setPaused(): void {
    const paused = this.#isTooLong(this.#paused ? 0.5 : 1);
    if (paused === this.#paused) return;
    this.#paused = paused;
    this.#options.setPaused(paused);
  }

  // Whoever is paused has calls here: looking at every answer is enough to resume in time.
  #isTooLong(part: number): boolean {
    if (this.isEmpty) return false;
    if (this.#options.queuedBytes.isOverLimit) return true;
    return this.#queue.length > QUEUE_LIMIT.frames * part || this.#bytes > QUEUE_LIMIT.bytes * part;
  }
}

// 17 and "17" are two.
function isSameId(one: MessageId, other: MessageId): boolean {
  return typeof one === typeof other && String(one) === String(other);
}

// A station may use an id again, so a late second answer to an older call must not pass for this one's.
function answers(envelope: Envelope, open: WaitingCall): boolean {
  if (envelope.id !== String(open.call.id) || envelope.action !== open.call.action) return false;
  return envelope.received_at === undefined || envelope.received_at === open.receivedAt;
}
