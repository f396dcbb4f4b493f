import type { EventEmitter } from 'node:events';
import type { Requests, Responses } from '@evander/ocpp';
import type { Configuration } from '../configuration/configuration.ts';
import type { Faults } from '../faults/faults.ts';
import type { Quirks } from '../options/quirks.ts';
import type { StationOptions } from '../options/station-options.ts';
import type { Random } from '../runtime/random.ts';
import type { StationEvents } from './station-events.ts';

/** What every part of a station may build on: what the station is, its clock, its configuration keys, its events. */
export interface StationContext extends EventEmitter<StationEvents> {
  readonly stationId: string;
  readonly options: StationOptions;
  readonly quirks: Quirks;
  readonly faults: Faults;
  /** How many times faster than the clock its sessions go. */
  readonly speed: number;
  readonly random: Random;
  readonly configuration: Configuration;
  /** Aborted when the station is closed. */
  readonly closed: AbortSignal;
  /** The station's time as RFC 3339 UTC; never the same twice. */
  timestamp(): string;
  log(message: string): void;
}

/** Calls the manager, and knows whether that is possible now. */
export interface Caller {
  readonly isConnected: boolean;
  /** The last answer to a BootNotification. */
  readonly registrationStatus: Responses['BootNotification']['status'] | undefined;
  /** Connected, and accepted by the manager: before that a station sends boots only (§4.2). */
  readonly mayReport: boolean;
  /** One call; rejects with CallRefused, CallTimedOut or ConnectionClosed. */
  call<A extends keyof Requests>(action: A, request: Requests[A], id?: string): Promise<Responses[A]>;
}

/** Opens and closes the station's socket. */
export interface Connectivity {
  /** Closes the socket, with 1000 or no code, and stays away. */
  disconnect(options?: { withoutCode?: boolean }): Promise<void>;
  goOffline(): Promise<void>;
  goOnline(): Promise<void>;
  /** Cuts the socket; the station reconnects. */
  drop(): void;
  /** Writes anything on the socket. */
  sendRaw(data: string | Buffer): Promise<void>;
}

/** What a command sets off before and after its answer. */
export interface AnswerHooks {
  /** The answer to the current command waits for it. */
  beforeAnswer(cause: () => Promise<unknown>): void;
  /** Runs once the current command is answered (OCPP asks for answer first, effect second). */
  afterAnswer(effect: () => unknown): void;
}

/** The station's connectors, as far as a part needs to know them. */
export interface Connectors<C> {
  /** Numbers 1 to n. */
  readonly connectors: readonly C[];
  /** Number 0 is the station itself. Throws where `findConnector` has none. */
  connector(connectorId: number): C;
  findConnector(connectorId: number): C | undefined;
}
