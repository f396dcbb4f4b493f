import type { EventEmitter } from 'node:events';
import type { Requests, Responses } from '@evander/ocpp';
import type { Configuration } from '../configuration/configuration.ts';
import type { Faults } from '../faults/faults.ts';
import type { Quirks } from '../options/quirks.ts';
import type { StationOptions } from '../options/station-options.ts';
import type { Random } from '../runtime/random.ts';
import type { StationEvents } from './station-events.ts';

/** The shared context of all parts of a station: identity, clock, configuration keys, events. */
export interface StationContext extends EventEmitter<StationEvents> {
  readonly stationId: string;
  readonly options: StationOptions;
  readonly quirks: Quirks;
  readonly faults: Faults;
  /** Speed factor of its sessions relative to real time. */
  readonly speed: number;
  readonly random: Random;
  readonly configuration: Configuration;
  /** Aborted when the station is closed. */
  readonly closed: AbortSignal;
  /** The station's time as RFC 3339 UTC; never the same twice. */
  timestamp(): string;
  log(message: string): void;
}

/** Calls the manager, and knows whether that is currently possible. */
export interface Caller {
  readonly isConnected: boolean;
  /** The last answer to a BootNotification. */
  readonly registrationStatus: Responses['BootNotification']['status'] | undefined;
  /** Connected and accepted by the manager: before that a station sends only boots (§4.2). */
  readonly mayReport: boolean;
  /** Sends a call; rejects with CallRefused, CallTimedOut or ConnectionClosed. */
  call<A extends keyof Requests>(action: A, request: Requests[A], id?: string): Promise<Responses[A]>;
}

/** Opens and closes the station's socket. */
export interface Connectivity {
  /** Closes the socket, with 1000 or no code, and stays disconnected. */
  disconnect(options?: { withoutCode?: boolean }): Promise<void>;
  goOffline(): Promise<void>;
  goOnline(): Promise<void>;
  /** Terminates the socket; the station reconnects. */
  drop(): void;
  /** Sends raw data on the socket. */
  sendRaw(data: string | Buffer): Promise<void>;
}

/** Effects of a command before and after its answer. */
export interface AnswerHooks {
  /** The answer to the current command waits for this. */
  beforeAnswer(cause: () => Promise<unknown>): void;
  /** Runs once the current command is answered (OCPP asks for answer first, effect second). */
  afterAnswer(effect: () => unknown): void;
}

/** The station's connectors, with the parts that are used. */
export interface Connectors<C> {
  /** Numbers 1 to n. */
  readonly connectors: readonly C[];
  /** Number 0 is the station itself. Throws if `findConnector` returns undefined. */
  connector(connectorId: number): C;
  findConnector(connectorId: number): C | undefined;
}
