import type { Responses } from '@evander/ocpp';
import { once } from 'node:events';
import type { Clock } from './clock.ts';
import type { Station } from './station.ts';
import { bootRequest } from './station-options.ts';
import { wait } from './wait.ts';

type BootResponse = Responses['BootNotification'];

// The wait before the next boot when the manager leaves it to the station.
const BOOT_RETRY_MS = 10_000;

/** Whether the manager has accepted the station: boots until it has, then sends heartbeats. */
export class Registration {
  /** The last answer to a BootNotification: it outlives the socket (OCPP-J §5.4). */
  status: BootResponse['status'] | undefined;
  readonly #station: Station;
  readonly #clock: Clock;
  #booting: Promise<BootResponse> | undefined;
  #pause = new AbortController();
  #heartbeats: NodeJS.Timeout | undefined;

  constructor(station: Station, clock: Clock) {
    this.#station = station;
    this.#clock = clock;
    station.closed.addEventListener('abort', () => this.#stop());
  }

  get isAccepted(): boolean {
    return this.status === 'Accepted';
  }

  /** Sends BootNotifications until one is Accepted. While that goes on, another boot just comes sooner. */
  boot(): Promise<BootResponse> {
    this.#pause.abort();
    this.#booting ??= this.#bootUntilAccepted().finally(() => (this.#booting = undefined));
    return this.#booting;
  }

  /** Heartbeats every so many seconds from now on; none for 0. */
  setHeartbeat(seconds: number): void {
    clearInterval(this.#heartbeats);
    if (seconds > 0) this.#heartbeats = setInterval(() => void this.#heartbeat(), seconds * 1000);
  }

  /** The station restarts: nothing is known until the next boot. */
  forget(): void {
    this.status = undefined;
    this.setHeartbeat(0);
  }

  async #bootUntilAccepted(): Promise<BootResponse> {
    const station = this.#station;
    const { bootRetryMs = BOOT_RETRY_MS } = station.options;
    while (!station.closed.aborted) {
      const response = await station
        .call('BootNotification', bootRequest(station.options))
        .catch(() => undefined);
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
    if (!this.#station.isConnected) return;
    const response = await this.#station.call('Heartbeat', {}).catch(() => undefined);
    if (response) this.#clock.set(response.currentTime);
  }

  #stop(): void {
    this.setHeartbeat(0);
    this.#pause.abort();
  }
}
