import { setMaxListeners } from 'node:events';
import type { Connector } from '../charging/connector.ts';
import type { ChargeSessionOptions } from '../options/session-options.ts';
import type { StationOptions } from '../options/station-options.ts';
import { newSeed, Random } from '../runtime/random.ts';
import { wait } from '../runtime/wait.ts';
import { Station } from '../station/station.ts';
import { Latencies } from './latencies.ts';

const OWN_CLOSE = 1000;
const BUSY_MS = 1000;
/** Delays before retries with a refused tag, which will usually be refused again. */
const REFUSED_MS = { minMs: 1000, maxMs: 60_000 };

/** Options of many similar stations. */
export type FleetOptions = Omit<StationOptions, 'stationId' | 'seed' | 'password'> & {
  /** Options that differ per station. */
  own?: (stationId: string) => Pick<StationOptions, 'tls' | 'serialNumber'>;
  stations: number;
  /** Ids are the prefix and a number: SIM0001, SIM0002 … */
  prefix?: string;
  /** How many stations connect per second. */
  rampPerSecond?: number;
  seed?: number;
  password?: string | Buffer | ((stationId: string) => string | Buffer);
  /** Used in turn, so that stations need not share a tag. */
  idTags?: readonly [string, ...string[]];
  /** Number of sessions per connector; unset: until `stop()`. */
  sessions?: number;
  session?: Omit<ChargeSessionOptions, 'idTag' | 'connectorId'>;
  /** Maximum delay between two sessions. */
  pauseMs?: number;
  /** Delays after a refused tag; each is twice the previous one. */
  refusedPauseMs?: { minMs: number; maxMs: number };
  /** How long `stop()` waits for unanswered messages. */
  drainMs?: number;
};

/** Statistics of the fleet. */
export type FleetStatistics = {
  stations: number;
  connected: number;
  /** Stations that have tried but that the CSMS has never accepted. */
  neverAccepted: number;
  answers: number;
  answersPerSecond: number;
  p50Ms: number;
  p99Ms: number;
  callErrors: number;
  refusedConnections: number;
  lostConnections: number;
  violations: number;
  sessionsCompleted: number;
  sessionsRefused: number;
  queued: number;
  energyWh: number;
};

/** Runs many stations in one process, each with its own sessions. */
export class Fleet {
  readonly seed: number;
  readonly stations: readonly Station[];
  /** Resolves once every station has run its sessions, or the fleet is stopped. */
  readonly finished: Promise<void>;
  readonly #options: FleetOptions;
  readonly #random: Random;
  readonly #latencies = new Latencies();
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>[] = [];
  readonly #accepted = new Set<string>();
  readonly #counters = {
    callErrors: 0,
    refusedConnections: 0,
    lostConnections: 0,
    violations: 0,
    sessionsCompleted: 0,
    sessionsRefused: 0,
    energyWh: 0,
  };
  #finish: () => void = () => {};
  #startedAtMs = performance.now();
  #stopped: Promise<void> | undefined;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.seed = options.seed ?? newSeed();
    this.#random = new Random(this.seed);
    this.stations = Array.from({ length: options.stations }, (_, index) => this.#createStation(index));
    this.finished = new Promise((resolve) => (this.#finish = resolve));
    // Each connector waits for its next session, and the ramp for its next station.
    const connectors = this.stations.flatMap((station) => station.connectors);
    setMaxListeners(connectors.length + 1, this.#stopping.signal);
  }

  /** Resolves once all stations have started to connect; each keeps trying. */
  async start(): Promise<void> {
    const { rampPerSecond = 50 } = this.#options;
    this.#startedAtMs = performance.now();
    for (const [index, station] of this.stations.entries()) {
      if (this.#stopping.signal.aborted) break;
      this.#running.push(this.#run(station, index));
      await wait(1000 / rampPerSecond, this.#stopping.signal);
    }
    void Promise.all(this.#running).then(() => this.#finish());
  }

  /** Ends the sessions, delivers queued messages, and closes all stations. */
  stop(): Promise<void> {
    return (this.#stopped ??= this.#stop());
  }

  statistics(): FleetStatistics {
    const seconds = (performance.now() - this.#startedAtMs) / 1000;
    return {
      stations: this.stations.length,
      connected: this.stations.filter(({ isConnected }) => isConnected).length,
      neverAccepted: this.#running.length - this.#accepted.size,
      answers: this.#latencies.count,
      answersPerSecond: this.#latencies.count / seconds,
      p50Ms: this.#latencies.quantile(0.5),
      p99Ms: this.#latencies.quantile(0.99),
      ...this.#counters,
      queued: this.stations.reduce((sum, { queue }) => sum + queue.length, 0),
    };
  }

  #createStation(index: number): Station {
    const { prefix = 'SIM', password, own, ...options } = this.#options;
    const stationId = `${prefix}${String(index + 1).padStart(4, '0')}`;
    const ownPassword = typeof password === 'function' ? password(stationId) : password;
    const station = new Station({
      ...options,
      ...own?.(stationId),
      stationId,
      seed: this.#random.next() * 2 ** 32,
      ...(ownPassword !== undefined && { password: ownPassword }),
    });
    this.#watch(station);
    return station;
  }

  #watch(station: Station): void {
    station.on('answered', ({ latencyMs, isError }) => {
      this.#latencies.add(latencyMs);
      if (isError) this.#counters.callErrors++;
    });
    station.on('booted', (status) => {
      if (status === 'Accepted') this.#accepted.add(station.stationId);
    });
    station.on('refused', () => this.#counters.refusedConnections++);
    station.on('disconnected', (code) => {
      if (code !== OWN_CLOSE) this.#counters.lostConnections++;
    });
    station.on('violation', () => this.#counters.violations++);
  }

  async #run(station: Station, index: number): Promise<void> {
    const { idTags = ['SIMTAG'] } = this.#options;
    try {
      await station.connect({ keepTrying: true });
      await station.boot();
      const { connectors } = station;
      const firstTag = index * connectors.length;
      await Promise.all(
        connectors.map((connector, position) => {
          const idTag = idTags[(firstTag + position) % idTags.length] ?? idTags[0];
          return this.#runSessions(station, connector, idTag);
        }),
      );
    } catch (error) {
      // A station that is closed while it is still connecting has nothing to report.
      if (!station.closed.aborted) throw error;
    }
  }

  async #runSessions(station: Station, connector: Connector, idTag: string): Promise<void> {
    const { sessions = Infinity, session, pauseMs = 0, refusedPauseMs: pause = REFUSED_MS } = this.#options;
    const { signal } = this.#stopping;
    let refusals = 0;
    for (let count = 0; count < sessions && !signal.aborted; count++) {
      if (refusals > 0) {
        const fullMs = Math.min(pause.maxMs, pause.minMs * 2 ** Math.min(refusals - 1, 30));
        await wait(fullMs * station.random.between(0.5, 1), signal);
      }
      if (pauseMs > 0) await wait(station.random.between(0, pauseMs), signal);
      // A remote start or ChangeAvailability may have occupied the connector.
      while (!connector.isFree && !signal.aborted) await wait(BUSY_MS, signal);
      if (signal.aborted) break;
      const record = await station.chargeSession({ ...session, connectorId: connector.id, idTag });
      this.#counters[record.session ? 'sessionsCompleted' : 'sessionsRefused']++;
      this.#counters.energyWh += record.energyWh;
      refusals = (record.idTagStatus ?? 'Accepted') === 'Accepted' ? 0 : refusals + 1;
    }
  }

  async #stop(): Promise<void> {
    this.#stopping.abort();
    const drained = new AbortController();
    for (const station of this.stations) {
      for (const connector of station.connectors) connector.stop();
    }
    // A station that was never accepted has nothing to deliver and would try to connect or boot until then.
    const idle = this.stations.filter(
      ({ stationId, queue }) => !this.#accepted.has(stationId) && queue.length === 0,
    );
    await Promise.all(idle.map((station) => station.close()));
    // Sessions that a manager started are not part of `#running`, but their messages must also be delivered.
    const queues = this.stations.map(({ queue }) => queue.drained());
    const all = Promise.allSettled([...this.#running, ...queues]).then(() => drained.abort());
    await Promise.race([all, wait(this.#options.drainMs ?? 30_000, drained.signal)]);
    drained.abort();
    await Promise.all(this.stations.map((station) => station.close()));
    this.#finish();
  }
}
