import { EventEmitter } from 'node:events';
import type { Requests, Responses } from '@evander/ocpp';
import { Configuration } from '../src/configuration/configuration.ts';
import type { Caller, StationContext } from '../src/context/station-context.ts';
import type { StationEvents } from '../src/context/station-events.ts';
import { Faults } from '../src/faults/faults.ts';
import type { StationOptions } from '../src/options/station-options.ts';
import { Clock } from '../src/runtime/clock.ts';
import { Random } from '../src/runtime/random.ts';

/** One call that a part has made. */
export type SentCall = { action: string; request: object; id: string | undefined };

/** What a part of a station builds on, without the station: calls go to `answer`, which stands for the manager. */
export class PartContext extends EventEmitter<StationEvents> implements StationContext, Caller {
  readonly stationId = 'CP1';
  readonly options: StationOptions;
  readonly quirks = {};
  readonly speed = 1;
  readonly random = new Random(1);
  readonly faults = new Faults(this.random);
  readonly configuration: Configuration;
  readonly closed: AbortSignal = new AbortController().signal;
  isConnected = true;
  registrationStatus: Responses['BootNotification']['status'] | undefined = 'Accepted';
  /** What was called, in order. */
  readonly sent: SentCall[] = [];
  answer: (action: string, request: object) => object = () => ({});
  readonly #clock: Clock;

  constructor(options: Partial<StationOptions> = {}) {
    super();
    this.options = { stationId: this.stationId, url: 'ws://127.0.0.1/ws', ...options };
    this.configuration = new Configuration(this.options);
    this.#clock = new Clock(options.now);
  }

  get mayReport(): boolean {
    return this.isConnected && this.registrationStatus === 'Accepted';
  }

  /** `answer` throws where the call fails. */
  async call<A extends keyof Requests>(action: A, request: Requests[A], id?: string): Promise<Responses[A]> {
    this.sent.push({ action, request, id });
    return this.answer(action, request) as Responses[A];
  }

  timestamp(): string {
    return this.#clock.timestamp();
  }

  log(): void {}
}
