import { EventEmitter, setMaxListeners } from 'node:events';
import type { Requests, Responses } from '@evander/ocpp';
import { Authorization, type TagStatus } from '../authorization/authorization.ts';
import { LocalList } from '../authorization/local-list.ts';
import { chargeSession, type ChargeRecord } from '../charging/charge-session.ts';
import { ChargingProfiles } from '../charging/charging-profiles.ts';
import { Connector } from '../charging/connector.ts';
import { Ledger } from '../charging/ledger.ts';
import { Reservations } from '../charging/reservations.ts';
import { TransactionQueue } from '../charging/transaction-queue.ts';
import { Configuration } from '../configuration/configuration.ts';
import type { StationEvents, Violation } from '../context/station-events.ts';
import { Answers } from '../faults/answers.ts';
import { Faults } from '../faults/faults.ts';
import { FileJobs } from '../files/file-jobs.ts';
import { takeEffect } from '../lifecycle/configuration-effects.ts';
import { Registration } from '../lifecycle/registration.ts';
import { restart } from '../lifecycle/restart.ts';
import type { CommandedStation } from '../messages/commanded-station.ts';
import type { Quirks } from '../options/quirks.ts';
import type { ChargeSessionOptions } from '../options/session-options.ts';
import type { StationOptions } from '../options/station-options.ts';
import { PlugAndCharge } from '../pnc/plug-and-charge.ts';
import { Clock } from '../runtime/clock.ts';
import { newSeed, Random } from '../runtime/random.ts';
import { wait } from '../runtime/wait.ts';
import { Certificates } from '../security/certificates.ts';
import { Security } from '../security/security.ts';
import { Link } from './link.ts';

/** A simulated OCPP 1.6J charging station. */
export class Station extends EventEmitter<StationEvents> implements CommandedStation {
  readonly #closing = new AbortController();
  /** Aborted by `close()`. */
  readonly closed: AbortSignal = this.#closing.signal;
  readonly stationId: string;
  readonly options: StationOptions;
  readonly speed: number;
  /** The source of loads, meter values and faults; its `seed` repeats a run. */
  readonly random: Random;
  readonly faults: Faults;
  /** Scripted answers to commands. */
  readonly answers: Answers;
  readonly quirks: Quirks;
  /** The version in its BootNotification; an update changes it. */
  firmwareVersion: string;
  readonly configuration: Configuration;
  readonly ledger: Ledger;
  readonly authorization = new Authorization(this);
  readonly localList: LocalList;
  readonly reservations = new Reservations(this);
  readonly chargingProfiles = new ChargingProfiles(this);
  readonly certificates = new Certificates(this);
  readonly security: Security;
  readonly pnc: PlugAndCharge = new PlugAndCharge(this);
  readonly jobs: FileJobs;
  /** Messages from the manager that violate OCPP's schemas; empty with a correct manager. */
  readonly violations: Violation[] = [];
  /** Unanswered transaction messages. */
  readonly queue = new TransactionQueue(this);
  readonly registration: Registration;
  /** Numbers 1 to n; `connector(0)` is the station itself. */
  readonly connectors: readonly Connector[];
  readonly #all: readonly Connector[];
  readonly #clock: Clock;
  readonly #link: Link;
  #whenClosed: Promise<void> | undefined;

  constructor(options: StationOptions) {
    super();
    // Any number of waiting connectors, jobs and answers listen to both.
    setMaxListeners(0, this, this.closed);
    this.options = options;
    this.stationId = options.stationId;
    this.speed = options.speed ?? 1;
    this.random = new Random(options.seed ?? newSeed());
    this.faults = new Faults(this.random, options.faults);
    this.answers = new Answers(options.answers);
    this.quirks = options.quirks ?? {};
    this.firmwareVersion = options.identity?.firmwareVersion ?? '1.0.0';
    this.configuration = new Configuration(options);
    this.ledger = new Ledger(options.maxLedgerSessions);
    this.localList = new LocalList(this.configuration);
    this.jobs = new FileJobs(this);
    this.#clock = new Clock(options.now, this.quirks.clockOf1970 ? 0 : undefined);
    this.security = new Security(this);
    this.#link = new Link(this);
    this.registration = new Registration(this, this.#clock);
    this.#all = Array.from({ length: (options.connectors ?? 1) + 1 }, (_, id) => new Connector(this, id));
    this.connectors = this.#all.slice(1);
    takeEffect(this, 'WebSocketPingInterval');
  }

  get isConnected(): boolean {
    return this.#link.connection.isOpen;
  }

  get registrationStatus(): Responses['BootNotification']['status'] | undefined {
    return this.registration.status;
  }

  /** Connected and accepted by the manager: before that a station sends only boots (§4.2). */
  get mayReport(): boolean {
    return this.isConnected && this.registration.isAccepted;
  }

  /** Rejects when the first attempt is refused, unless `keepTrying` is set; later it reconnects automatically. */
  async connect(options: { keepTrying?: boolean } = {}): Promise<void> {
    this.closed.throwIfAborted();
    await this.#link.connection.connect(options);
  }

  /** Resolves once the manager has accepted the station and knows all connectors. */
  boot(): Promise<Responses['BootNotification']> {
    return this.registration.start();
  }

  /** Simulates a power failure: transactions end with PowerLoss and are delivered after the boot. */
  powerCycle(): Promise<void> {
    return restart(this, { reason: 'PowerLoss' });
  }

  /** Closes the socket, with 1000 or no code, and stays disconnected until `connect()`. */
  async disconnect(options: { withoutCode?: boolean } = {}): Promise<void> {
    await this.#link.connection.disconnect(options);
  }

  /** Simulates a lost network for this time or until `goOnline()`: sessions continue and are delivered later. */
  async goOffline({ forMs }: { forMs?: number } = {}): Promise<void> {
    await this.disconnect();
    if (forMs !== undefined) void wait(forMs, this.closed).then(() => this.goOnline());
  }

  async goOnline(): Promise<void> {
    // The station may have been closed in the meantime.
    if (!this.closed.aborted) await this.connect({ keepTrying: true }).catch(() => undefined);
  }

  /** Terminates the socket; the station reconnects automatically. */
  drop(): void {
    this.#link.connection.drop();
  }

  /** Ends everything immediately; unanswered messages are lost. Await `queue.drained()` first to keep them. */
  close(): Promise<void> {
    return (this.#whenClosed ??= this.#close());
  }

  /** Sets the interval of WebSocket pings; 0 for none. */
  setPingInterval(seconds: number): void {
    this.#link.connection.setPingInterval(seconds * 1000);
  }

  /** Sends a call; rejects with CallRefused, CallTimedOut or ConnectionClosed. */
  call<A extends keyof Requests>(action: A, request: Requests[A], id?: string): Promise<Responses[A]> {
    return this.#link.call(action, request, id);
  }

  /** Sends raw data on the socket. */
  sendRaw(data: string | Buffer): Promise<void> {
    return this.#link.connection.send(data);
  }

  /** The answer to the current command waits for this. */
  beforeAnswer(cause: () => Promise<unknown>): void {
    this.#link.inbox.beforeAnswer(cause);
  }

  /** Runs once the current command is answered. */
  afterAnswer(effect: () => unknown): void {
    this.#link.inbox.afterAnswer(effect);
  }

  /** Throws if `findConnector` returns undefined. */
  connector(connectorId: number): Connector {
    const connector = this.findConnector(connectorId);
    if (!connector) throw new Error(`${this.stationId} has no connector ${connectorId}`);
    return connector;
  }

  findConnector(connectorId: number): Connector | undefined {
    return this.#all[connectorId];
  }

  authorize(idTag: string): Promise<TagStatus> {
    return this.authorization.authorize(idTag);
  }

  chargeSession(options: ChargeSessionOptions): Promise<ChargeRecord> {
    return chargeSession(this, options);
  }

  timestamp(): string {
    return this.#clock.timestamp();
  }

  /** Writes to the log of its options, with its id. */
  log(message: string): void {
    this.options.log?.(`${this.stationId} ${message}`);
  }

  async #close(): Promise<void> {
    for (const connector of this.connectors) connector.abandon();
    this.#closing.abort(new Error(`station ${this.stationId} was closed`));
    this.setPingInterval(0);
    await this.disconnect();
  }
}
