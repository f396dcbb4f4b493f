import { timeLimit } from '../../packages/process/src/time-limit.ts';
import type { Random } from '@evander/station';
import type { System } from '../system.ts';

/** The compared part of an event. */
export interface SeenEvent {
  id: number;
  text: string;
}

/** The events of one connection, after one id and up to another. */
export interface Segment {
  after: number;
  upTo: number;
  events: SeenEvent[];
}

const RETRY_MS = 200;
/** A reader that saves its position only sometimes resumes up to this many events back. */
const BACK = 50;

/** A reader of GET /events that disconnects, and resumes with Last-Event-ID at any manager. */
export class EventReader {
  readonly name: string;
  readonly kind: string | undefined;
  readonly segments: Segment[] = [];
  readonly #system: System;
  readonly #random: Random;

  constructor(options: { name: string; kind?: string; system: System; random: Random }) {
    this.name = options.name;
    this.kind = options.kind;
    this.#system = options.system;
    this.#random = options.random;
  }

  /** Reads until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const random = this.#random;
    while (!signal.aborted) {
      const staysMs = Math.round(random.between(100, 4000));
      const stay = timeLimit(staysMs, signal);
      const leaving = stay.signal;
      const manager = Math.floor(random.between(0, this.#system.managers.length));
      const isBroken = await this.#read(manager, leaving).then(
        () => false,
        () => true,
      );
      stay.end();
      // Readers that disconnect on purpose stay away for a while.
      const awayMs = isBroken && !leaving.aborted ? RETRY_MS : random.between(0, 1500);
      if (!signal.aborted) await new Promise((resolve) => setTimeout(resolve, awayMs));
    }
  }

  /** Continues reading from a manager until the reader has seen all events up to this id. */
  async catchUp(newest: number, signal: AbortSignal): Promise<void> {
    for (let manager = 0; this.#upTo < newest; manager = 1 - manager) {
      signal.throwIfAborted();
      const done = new AbortController();
      const reading = this.#read(manager, AbortSignal.any([signal, done.signal]));
      const timer = setInterval(() => this.#upTo >= newest && done.abort(), 50);
      await reading.catch(() => undefined);
      clearInterval(timer);
    }
  }

  async #read(manager: number, signal: AbortSignal): Promise<void> {
    const after = this.#place();
    const query = this.kind === undefined ? '' : `?kind=${this.kind}`;
    const response = await this.#system.request('GET', `/events${query}`, {
      headers: { accept: 'text/event-stream', 'last-event-id': String(after) },
      manager,
      signal,
    });
    if (!response.ok || !response.body) throw new Error(`${response.status} ${await response.text()}`);
    const segment: Segment = { after, upTo: after, events: [] };
    this.segments.push(segment);
    let text = '';
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
      const blocks = (text + chunk).split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) this.#take(block, segment);
    }
  }

  /** The position to resume from: the last id, or an earlier one. */
  #place(): number {
    const back = Math.floor(this.#random.between(0, BACK));
    const last = this.segments.at(-1)?.events ?? [];
    return back === 0 ? this.#upTo : (last.at(-back)?.id ?? this.#upTo);
  }

  get #upTo(): number {
    return this.segments.at(-1)?.upTo ?? 0;
  }

  #take(block: string, segment: Segment): void {
    const id = /^id: (\d+)$/m.exec(block)?.[1];
    if (id === undefined) return;
    const data = /^data: (.*)$/m.exec(block)?.[1];
    if (data !== undefined) segment.events.push({ id: Number(id), text: data });
    segment.upTo = Number(id);
  }
}
