import { once } from 'node:events';
import type { Requests, Responses } from '@evander/ocpp';
import type { Connector } from '../charging/connector.ts';
import type { TransactionQueue } from '../charging/transaction-queue.ts';
import type { Caller, Connectors, StationContext } from '../context/station-context.ts';
import { serialNumberOf } from '../options/station-options.ts';
import type { Clock } from '../runtime/clock.ts';
import { wait } from '../runtime/wait.ts';

/** Parts of the station that the registration uses. */
export type RegistrationContext = StationContext &
  Caller &
  Connectors<Pick<Connector, 'report' | 'reportIfChanged' | 'sampleOnTrigger'>> & {
    readonly firmwareVersion: string;
    readonly queue: Pick<TransactionQueue, 'deliver'>;
  };

type BootResponse = Responses['BootNotification'];

// Delay before the next boot if the manager leaves it to the station.
const BOOT_RETRY_MS = 10_000;
// Quirk 3.
const STORM_SECONDS = 1 / 230;

/** Registers the station with the manager: boots until it is accepted, then sends heartbeats. */
export class Registration {
  /** The last answer to a BootNotification: it outlives the socket (OCPP-J §5.4). */
  status: BootResponse['status'] | undefined;
  readonly #station: RegistrationContext;
  readonly #clock: Clock;
  #booting: Promise<BootResponse> | undefined;
  #pause = new AbortController();
  #heartbeats: NodeJS.Timeout | undefined;
  #isBeating = false;

  constructor(station: RegistrationContext, clock: Clock) {
    this.#station = station;
    this.#clock = clock;
    station.closed.addEventListener('abort', () => this.#stop());
    station.on('connected', () => this.#resume());
  }

  get isAccepted(): boolean {
    return this.status === 'Accepted';
  }

  /** Sends BootNotifications until one is Accepted. If that is in progress, another boot only makes the next one come sooner. */
  boot(): Promise<BootResponse> {
    this.#pause.abort();
    this.#booting ??= this.#bootUntilAccepted().finally(() => (this.#booting = undefined));
    return this.#booting;
  }

  /** Boots, then reports all connectors. */
  async start(): Promise<BootResponse> {
    if (this.#station.quirks.clockOf1970 && !this.status) this.#measure();
    const response = await this.boot();
    await this.report();
    return response;
  }

  /** Reports all connectors and continues to deliver transactions. */
  async report(): Promise<void> {
    for (const connector of this.#allConnectors) await connector.report();
    this.#station.queue.deliver();
  }

  /** Quirk 3: heartbeats at the rate observed from a real station. */
  storm(): void {
    this.setHeartbeat(STORM_SECONDS);
  }

  /** Sets the heartbeat interval in seconds; 0 for none. */
  setHeartbeat(seconds: number): void {
    clearInterval(this.#heartbeats);
    if (seconds > 0) this.#heartbeats = setInterval(() => void this.#heartbeat(), seconds * 1000);
  }

  /** Resets the registration at a restart, until the next boot. */
  forget(): void {
    this.status = undefined;
    this.setHeartbeat(0);
  }

  async #bootUntilAccepted(): Promise<BootResponse> {
    const station = this.#station;
    const { bootRetryMs = BOOT_RETRY_MS } = station.options;
    while (!station.closed.aborted) {
      const response = await station.call('BootNotification', bootRequest(station)).catch(() => undefined);
      if (response) this.#apply(response);
      if (response?.status === 'Accepted') return response;
      if (station.isConnected) await this.#wait((response?.interval ?? 0) * 1000 || bootRetryMs);
      else await once(station, 'connected', { signal: station.closed }).catch(() => undefined);
    }
    throw new Error('the station was closed before a BootNotification was accepted');
  }

  #apply(response: BootResponse): void {
    this.status = response.status;
    this.#clock.set(response.currentTime);
    if (this.isAccepted && response.interval > 0) {
      this.#station.configuration.set('HeartbeatInterval', String(response.interval));
      this.setHeartbeat(response.interval);
    }
    this.#station.emit('booted', response.status);
  }

  async #wait(ms: number): Promise<void> {
    this.#pause = new AbortController();
    await wait(ms, this.#pause.signal);
  }

  async #heartbeat(): Promise<void> {
    if (!this.#station.isConnected || this.#isBeating) return;
    this.#isBeating = true;
    const response = await this.#station.call('Heartbeat', {}).catch(() => undefined);
    this.#isBeating = false;
    if (response) this.#clock.set(response.currentTime);
  }

  get #allConnectors() {
    return [this.#station.connector(0), ...this.#station.connectors];
  }

  /** After a lost connection: no boot (OCPP-J §5.4), but reports changes in the meantime. */
  #resume(): void {
    if (!this.isAccepted) return;
    for (const connector of this.#allConnectors) void connector.reportIfChanged();
    this.#station.queue.deliver();
  }

  /** Quirk 4. A manager may reject messages before the boot. */
  #measure(): void {
    for (const connector of this.#station.connectors)
      void connector.sampleOnTrigger('Sample.Clock').catch(() => undefined);
  }

  #stop(): void {
    this.setHeartbeat(0);
    this.#pause.abort();
  }
}

/** The fields of the BootNotification. */
function bootRequest(station: RegistrationContext): Requests['BootNotification'] {
  const { options, quirks, firmwareVersion } = station;
  return {
    chargePointVendor: 'Evander',
    chargePointModel: 'Simulator',
    // The specification allows 25 characters.
    chargePointSerialNumber: serialNumberOf(options).slice(0, 25),
    ...(quirks.emptyStrings && { iccid: '', imsi: '' }),
    ...options.identity,
    firmwareVersion,
  };
}
