import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { RawData } from 'ws';

/** A connection that calls and waits for each answer, like a station. */
export class Caller {
  readonly #socket: WebSocket;
  #resolve: ((payload: unknown) => void) | undefined;
  #count = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: RawData) => {
      const [type, , payload] = JSON.parse((data as Buffer).toString()) as [number, string, unknown];
      if (type === 4) throw new Error(`a call was answered with an error: ${(data as Buffer).toString()}`);
      this.#resolve?.(payload);
    });
    socket.on('error', () => undefined);
  }

  /** Resolves once the socket is open; rejects when the handshake is rejected. Retries after a 503, like a station. */
  static async open(url: string): Promise<Caller> {
    for (;;) {
      try {
        return await Caller.#openOnce(url);
      } catch (error) {
        if (!(error as Error).message.endsWith('503')) throw error;
        await delay(1000);
      }
    }
  }

  static async #openOnce(url: string): Promise<Caller> {
    const socket = new WebSocket(url, ['ocpp1.6'], { perMessageDeflate: false, handshakeTimeout: 60_000 });
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    return new Caller(socket);
  }

  /** The payload of the answer. */
  call(action: string, payload: object): Promise<unknown> {
    return new Promise((resolve) => {
      this.#resolve = resolve;
      this.#socket.send(JSON.stringify([2, String(++this.#count), action, payload]));
    });
  }

  close(): void {
    this.#socket.terminate();
  }
}

export interface Rate {
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
}

/** Opens `count` connections, a few at a time. */
export async function openAll(url: string, count: number, prefix: string): Promise<Caller[]> {
  const callers: Caller[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < count) callers.push(await Caller.open(`${url}/${prefix}${next++}`));
  };
  await Promise.all(Array.from({ length: Math.min(count, 200) }, work));
  return callers;
}

/** Repeats every caller's round for this many seconds; counts the calls. */
export async function measure(
  callers: Caller[],
  seconds: number,
  round: (call: Caller['call'], index: number) => Promise<unknown>,
): Promise<Rate> {
  const latencies: number[] = [];
  let isOver = false;
  const work = callers.map(async (caller, index) => {
    const timed: Caller['call'] = async (action, payload) => {
      const startedMs = performance.now();
      const answer = await caller.call(action, payload);
      latencies.push(performance.now() - startedMs);
      return answer;
    };
    while (!isOver) await round(timed, index);
  });
  // Measure after the warm-up.
  await delay(1000);
  latencies.length = 0;
  const startedMs = performance.now();
  await delay(seconds * 1000);
  const rate = rateOf(latencies, (performance.now() - startedMs) / 1000);
  isOver = true;
  await Promise.all(work);
  return rate;
}

/** Calls at a fixed rate for this many seconds, using idle callers. */
export async function measurePaced(
  callers: Caller[],
  { perSecond, seconds }: { perSecond: number; seconds: number },
  round: (call: Caller['call']) => Promise<unknown>,
): Promise<Rate> {
  const latencies: number[] = [];
  const open: Promise<void>[] = [];
  const free = [...callers];
  const startedMs = performance.now();
  for (let sent = 0; sent < perSecond * seconds;) {
    const due = Math.min(perSecond * seconds, ((performance.now() - startedMs) / 1000) * perSecond);
    for (; sent < due; sent++) {
      const caller = free.shift();
      if (!caller) break;
      const atMs = performance.now();
      open.push(
        round((action, payload) => caller.call(action, payload)).then(() => {
          latencies.push(performance.now() - atMs);
          free.push(caller);
        }),
      );
    }
    await delay(1);
  }
  await Promise.all(open);
  return rateOf(latencies, (performance.now() - startedMs) / 1000);
}

/** The rate and percentiles of latencies in ms over this many seconds. */
export function rateOf(latencies: number[], seconds: number): Rate {
  const sorted = Float64Array.from(latencies).sort();
  const at = (part: number): number => sorted[Math.floor(sorted.length * part)] ?? NaN;
  return { perSecond: sorted.length / seconds, p50Ms: at(0.5), p99Ms: at(0.99) };
}

let clock = Date.now();

/** A unique timestamp. */
export function nextTime(): string {
  return new Date(clock++).toISOString();
}

const MEASURANDS = ['Energy.Active.Import.Register', 'Power.Active.Import', 'Current.Import', 'Voltage'];

/** Sends MeterValues with four samples. */
export function meterValues(call: Caller['call']): Promise<unknown> {
  const sampledValue = MEASURANDS.map((measurand) => ({ value: String(clock % 100_000), measurand }));
  return call('MeterValues', { connectorId: 1, meterValue: [{ timestamp: nextTime(), sampledValue }] });
}
