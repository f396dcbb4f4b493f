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
  /** What the loads, meters and faults come from; its `seed` repeats a run. */
  readonly random: Random;
  readonly faults: Faults;
  /** What goes wrong with the answers to commands. */
  readonly answers: Answers;
  readonly quirks: Quirks;
  /** As its BootNotification tells; an update changes it. */
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
  /** What the manager sent against OCPP's schemas; a correct manager leaves it empty. */
  readonly violations: Violation[] = [];
  /** Transaction messages that are not answered yet. */
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
    // Each connector, job and answer that waits listens to both, and there may be any number of them.
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

  /** Connected, and accepted by the manager: before that a station sends boots only (§4.2). */
  get mayReport(): boolean {
    return this.isConnected && this.registration.isAccepted;
  }

  /** Rejects when the first attempt is refused, unless it shall keep trying; later it reconnects by itself. */
  async connect(options: { keepTrying?: boolean } = {}): Promise<void> {
    this.closed.throwIfAborted();
    await this.#link.connection.connect(options);
  }

  /** Resolves once the manager has accepted the station and knows all connectors. */
  boot(): Promise<Responses['BootNotification']> {
    return this.registration.start();
  }

  /** The power fails and comes back: transactions end with PowerLoss, and are delivered after the boot. */
  powerCycle(): Promise<void> {
    return restart(this, { reason: 'PowerLoss' });
  }

  /** Closes the socket, with 1000 or no code, and stays away until `connect()`. */
  async disconnect(options: { withoutCode?: boolean } = {}): Promise<void> {
    await this.#link.connection.disconnect(options);
  }

  /** Like a lost network, for so long or until `goOnline()`: sessions go on and are delivered later. */
  async goOffline({ forMs }: { forMs?: number } = {}): Promise<void> {
    await this.disconnect();
    if (forMs !== undefined) void wait(forMs, this.closed).then(() => this.goOnline());
  }

  async goOnline(): Promise<void> {
    // Closed meanwhile is no fault of whoever desired the station back.
    if (!this.closed.aborted) await this.connect({ keepTrying: true }).catch(() => undefined);
  }

  /** Cuts the socket; the station comes back by itself. */
  drop(): void {
    this.#link.connection.drop();
  }

  /** Ends everything at once; unanswered messages are lost. Await `queue.drained()` first to keep them. */
  close(): Promise<void> {
    return (this.#whenClosed ??= this.#close());
  }

  /** WebSocket pings from now on; none for 0. */
  setPingInterval(seconds: number): void {
    this.#link.connection.setPingInterval(seconds * 1000);
  }

  /** One call; rejects with CallRefused, CallTimedOut or ConnectionClosed. */
  call<A extends keyof Requests>(action: A, request: Requests[A], id?: string): Promise<Responses[A]> {
    return this.#link.call(action, request, id);
  }

  /** Writes anything on the socket. */
  sendRaw(data: string | Buffer): Promise<void> {
    return this.#link.connection.send(data);
  }

  /** The answer to the command at hand waits for it. */
  beforeAnswer(cause: () => Promise<unknown>): void {
    this.#link.inbox.beforeAnswer(cause);
  }

  /** Runs once the command at hand is answered. */
  afterAnswer(effect: () => unknown): void {
    this.#link.inbox.afterAnswer(effect);
  }

  /** Throws where `findConnector` has none. */
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
