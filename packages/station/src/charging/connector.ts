import { isDeepStrictEqual } from 'node:util';
import type { Caller } from '../context/station-context.ts';
import type { ConnectorError, ConnectorStatus } from '../options/connector-status.ts';
import type { StopOptions, StopReason } from '../options/session-options.ts';
import type { ChargingProfiles } from './charging-profiles.ts';
import type { Ledger } from './ledger.ts';
import { LoadCurve, type ChargePlan } from './load-curve.ts';
import { sampleMeter, toLedger, type SampleContext } from './meter.ts';
import {
  plugAndCharge,
  type PlugAndChargeOptions,
  type PlugAndChargeRecord,
  type PncChargeContext,
} from './plug-and-charge-session.ts';
import type { Reservations } from './reservations.ts';
import { Session, type SessionContext } from './session.ts';

/** Parts of the station that a connector uses. */
export type ConnectorContext = SessionContext &
  PncChargeContext &
  Caller & {
    readonly ledger: Ledger;
    readonly reservations: Pick<Reservations, 'held' | 'isHeldFrom' | 'use' | 'lose'>;
    readonly chargingProfiles: Pick<ChargingProfiles, 'endTransaction'>;
  };

/** A connector with its meter; number 0 is the station as a whole. */
export class Connector {
  readonly id: number;
  status: ConnectorStatus = 'Available';
  session: Session | undefined;
  isOperative = true;
  readonly #station: ConnectorContext;
  readonly #plateauW: number;
  #changedAt: string;
  #error: ConnectorError = {};
  /** The error of the last reported status. */
  #reported: ConnectorError | undefined;
  #meterWh: number;

  constructor(station: ConnectorContext, id: number) {
    this.#station = station;
    this.id = id;
    this.#plateauW = station.random.pick([11_000, 22_000]);
    this.#meterWh = Math.floor(station.random.between(0, 5_000_000));
    this.#changedAt = station.timestamp();
  }

  /** The meter's register in Wh: it never decreases. */
  get meterWh(): number {
    return this.session?.meterWh ?? this.#meterWh;
  }

  get isFree(): boolean {
    return !this.session && this.isOperative && (this.status === 'Available' || this.status === 'Preparing');
  }

  /** Whether this tag could charge here now: the connector is free or reserved for the tag. */
  isFreeFor(idTag: string): boolean {
    if (this.#station.reservations.isHeldFrom(this.id, idTag)) return false;
    return this.isFree || (this.status === 'Reserved' && !this.session);
  }

  /** Plugs in a car. */
  async plugIn(): Promise<void> {
    if (this.status === 'Available' || this.status === 'Reserved') await this.setStatus('Preparing');
  }

  /** Starts a transaction without asking the manager; the station may be offline. */
  start(idTag: string, plan: ChargePlan & { reservationId?: number } = {}): Session {
    if (this.session) throw new Error(`connector ${this.id} has a session already; stop it first`);
    const { ledger } = this.#station;
    const { id: connectorId, meterWh: meterStart } = this;
    const record = ledger.open({ connectorId, idTag, startedAt: this.#station.timestamp(), meterStart });
    const session = new Session({
      station: this.#station,
      record,
      curve: new LoadCurve({ ...plan, plateauW: this.#plateauW }),
    });
    this.session = session;
    session.start(plan.reservationId ?? this.#station.reservations.use(this.id, idTag));
    session.sample('Transaction.Begin');
    void session.answered.then(() => {
      const { transactionId } = session;
      this.#station.emit('sessionStarted', { connectorId, idTag, transactionId });
      this.#stopIfRefused(session);
    });
    return session;
  }

  /** The car presents its contract by ISO 15118 and charges if the manager accepts it (PNC §5). */
  plugAndCharge(eMAID: string, options: PlugAndChargeOptions = {}): Promise<PlugAndChargeRecord> {
    return plugAndCharge(this.#station, this, eMAID, options);
  }

  /** Stops the transaction, if there is one. */
  stop(reason?: StopReason, options: StopOptions = {}): Session | undefined {
    const session = this.session;
    if (!session) return undefined;
    session.stop(reason, options);
    this.#meterWh = session.meterWh;
    this.session = undefined;
    this.#station.chargingProfiles.endTransaction(this.id);
    void this.setStatus('Finishing');
    return session;
  }

  /** Ends the session without a message, as if the station's process had ended. */
  abandon(): void {
    this.session?.abandon();
    this.#meterWh = this.meterWh;
    this.session = undefined;
  }

  /** Unplugs the car, which ends a transaction. */
  async unplug(): Promise<void> {
    this.stop('EVDisconnected');
    await this.setStatus(this.isOperative ? 'Available' : 'Unavailable');
  }

  /** Sets the connector inoperative or operative on command; a session ends first. */
  async setOperative(isOperative: boolean): Promise<void> {
    this.isOperative = isOperative;
    if (this.session) return;
    if (!isOperative) await this.setStatus('Unavailable');
    else if (this.status === 'Unavailable') await this.setStatus('Available');
  }

  /** Restores the connector after a restart: cars count as unplugged, and an inoperative connector stays inoperative. */
  comeUp(): void {
    const isReserved = this.#station.reservations.held.some(({ connectorId }) => connectorId === this.id);
    const free = isReserved && this.id > 0 ? 'Reserved' : 'Available';
    this.#become(this.isOperative ? free : 'Unavailable');
  }

  /**
   * Changes the status and reports it, e.g. `setStatus('Faulted', { errorCode: 'GroundFailure' })`. An errorCode with any other
   * status is a warning; the next status without one withdraws it.
   */
  async setStatus(status: ConnectorStatus, error: ConnectorError = {}): Promise<void> {
    if (status === this.status && isDeepStrictEqual(error, this.#error)) return;
    if (status === 'Faulted' || status === 'Unavailable') this.#station.reservations.lose(this.id);
    this.#become(status, error);
    await this.reportIfChanged();
  }

  /** Reports the status unless the manager already knows it. */
  async reportIfChanged(): Promise<void> {
    if (this.#reported !== this.#error && this.#station.mayReport) await this.report();
  }

  /** Reports the status in any case; a failed report is repeated at the next connection. */
  async report(): Promise<void> {
    const { status } = this;
    const error = (this.#reported = this.#error);
    const { missingStatuses = [], noConnectorZero, statusFiller } = this.#station.quirks;
    if (missingStatuses.includes(status) || (this.id === 0 && noConnectorZero)) return;
    const request = {
      connectorId: this.id,
      errorCode: 'NoError',
      ...statusFiller,
      ...error,
      status,
      timestamp: this.#changedAt,
    } as const;
    try {
      await this.#station.call('StatusNotification', request);
    } catch {
      this.#reported = undefined;
    }
  }

  /** Sends a sample that the manager requested. */
  async sampleOnTrigger(context: SampleContext = 'Trigger'): Promise<void> {
    if (this.session) return this.session.sample(context);
    const meterValue = sampleMeter({
      timestamp: this.#station.timestamp(),
      context,
      reading: { registerWh: this.meterWh, powerW: 0 },
      measurands: this.#station.configuration.list('MeterValuesSampledData'),
      random: this.#station.random,
    });
    const samples = toLedger(this.id, meterValue);
    this.#station.ledger.samples.push(...samples);
    await this.#station.call('MeterValues', { connectorId: this.id, meterValue: [meterValue] });
    samples.forEach((sample) => (sample.acknowledged = true));
  }

  #become(status: ConnectorStatus, error: ConnectorError = {}): void {
    this.status = status;
    // A new object each time, to detect which error was reported.
    this.#error = { ...error };
    this.#changedAt = this.#station.timestamp();
    const { errorCode = 'NoError' } = error;
    if (this.id > 0) this.#station.emit('connectorStatus', { connectorId: this.id, status, errorCode });
  }

  #stopIfRefused(session: Session): void {
    const status = session.record.idTagStatus;
    if (this.session !== session || !status || status === 'Accepted') return;
    if (this.#station.configuration.isTrue('StopTransactionOnInvalidId')) this.stop('DeAuthorized');
  }
}
