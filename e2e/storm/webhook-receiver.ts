import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Random } from '@evander/station';
import { THIS_MACHINE } from '../system.ts';

/** How a receiver fails. */
export interface ReceiverHabits {
  /** Fraction of posts that are answered too late, 0 to 1. */
  slow: number;
  /** Time between two outages; Infinity for none. */
  upMs: [number, number];
  outageMs: [number, number];
}

interface Posted {
  atMs: number;
  id: number;
  stationId: string;
  text: string;
}

/** Longer than managers wait for an answer. */
const SLOW_MS = 11_000;

/** A webhook receiver that is sometimes slow and sometimes away. */
export class WebhookReceiver {
  readonly name: string;
  /** Every post in order of arrival; the same event may arrive several times. */
  readonly posted: Posted[] = [];
  readonly #habits: ReceiverHabits;
  readonly #random: Random;
  readonly #server: Server;
  #outage: 'none' | 'refuses' | 'hangs up' = 'none';

  constructor(options: { name: string; habits: ReceiverHabits; random: Random }) {
    this.name = options.name;
    this.#habits = options.habits;
    this.#random = options.random;
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  /** Listens; resolves with its URL for managers in containers. */
  async listen(): Promise<string> {
    // Containers connect over a bridge, not over loopback.
    await once(this.#server.listen(0), 'listening');
    return `http://${THIS_MACHINE}:${(this.#server.address() as AddressInfo).port}/${this.name}`;
  }

  /** Produces outages until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const random = this.#random;
    const { upMs, outageMs } = this.#habits;
    if (upMs[0] === Infinity) return;
    while (!signal.aborted) {
      await pause(random.between(...upMs), signal);
      this.#outage = random.pick(['refuses', 'hangs up']);
      await pause(random.between(...outageMs), signal);
      this.#outage = 'none';
    }
  }

  /** Answers every post successfully and immediately from now on. */
  recover(): void {
    this.#habits.slow = 0;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.#outage === 'hangs up') return void request.socket.destroy();
    if (this.#outage === 'refuses') return void response.writeHead(503).end();
    let text = '';
    try {
      for await (const chunk of request.setEncoding('utf8')) text += chunk as string;
    } catch {
      // The sender was killed while it sent.
      return;
    }
    const { id, stationId } = JSON.parse(text) as Posted;
    this.posted.push({ atMs: Date.now(), id, stationId, text });
    const isSlow = this.#random.next() < this.#habits.slow;
    setTimeout(() => response.writeHead(204).end(), isSlow ? SLOW_MS : 0);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, ms);
    signal.addEventListener('abort', finish);
    if (signal.aborted) finish();
  });
}
