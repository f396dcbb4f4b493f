import type { MeterValue, Responses } from '@evander/ocpp';
import type { Authorization } from '../authorization/authorization.ts';
import type { StationContext } from '../context/station-context.ts';
import type { StopOptions, StopReason } from '../options/session-options.ts';
import { Deferred } from '../runtime/deferred.ts';
import type { LedgerSample, LedgerSession } from './ledger.ts';
import type { LoadCurve } from './load-curve.ts';
import { sampleMeter, toLedger, type SampleContext } from './meter.ts';
import type { TransactionQueue } from './transaction-queue.ts';

/** Parts of the station that a session uses. */
export type SessionContext = StationContext & {
  readonly queue: Pick<TransactionQueue, 'add'>;
  readonly authorization: Pick<Authorization, 'learn'>;
};

// The transactionId of a session whose StartTransaction was never answered (errata §3.18).
const NEVER_ANSWERED = -1;
const BATTERY_WH = 77_000;

/** A transaction on a connector, whether the manager knows it yet or not; it sends its own messages. */
export class Session {
  readonly record: LedgerSession;
  readonly curve: LoadCurve;
  /** The id in the first answer, which later messages use. */
  transactionId: number | undefined;
  readonly #station: SessionContext;
  readonly #socAtStart: number;
  readonly #sampled: MeterValue[] = [];
  readonly #answered = new Deferred<void>();
  readonly #delivered = new Deferred<void>();
  readonly #ended = new AbortController();
  #chargedSeconds = 0;

  constructor(options: { station: SessionContext; record: LedgerSession; curve: LoadCurve }) {
    this.#station = options.station;
    this.record = options.record;
    this.curve = options.curve;
    this.#socAtStart = options.station.random.between(15, 50);
  }

  /** Resolves once the StartTransaction is answered or discarded. */
  get answered(): Promise<void> {
    return this.#answered.promise;
  }

  /** Resolves once the StopTransaction is answered or discarded. */
  get delivered(): Promise<void> {
    return this.#delivered.promise;
  }

  /** Aborted when the session ends, for any reason. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /** The meter's current register, in Wh. */
  get meterWh(): number {
    return this.record.meterStart + Math.round(this.curve.energyWh(this.#chargedSeconds));
  }

  /** The car charges for this many seconds of its load curve. */
  charge(seconds: number): void {
    this.#chargedSeconds += seconds;
  }

  /** Sends the StartTransaction. */
  start(reservationId?: number): void {
    const { connectorId, idTag, meterStart, startedAt: timestamp } = this.record;
    this.#station.queue.add({
      action: 'StartTransaction',
      request: () => ({ connectorId, idTag, meterStart, timestamp, ...(reservationId && { reservationId }) }),
      onAnswer: (answer) => this.#learn(answer),
      onDiscard: () => this.#discard('StartTransaction'),
    });
  }

  /** Takes and sends a sample. */
  sample(context: SampleContext = 'Sample.Periodic'): void {
    const meterValue = this.#measure(context, 'MeterValuesSampledData');
    if (!meterValue) return;
    this.#sampled.push(meterValue);
    if (context === 'Sample.Periodic') {
      const powerW = this.curve.powerW(this.#chargedSeconds);
      const { connectorId, meterStart } = this.record;
      this.#station.emit('sampled', { connectorId, powerW, energyWh: this.meterWh - meterStart });
    }
    const samples = this.#enter(meterValue);
    const { connectorId } = this.record;
    this.#station.queue.add({
      action: 'MeterValues',
      request: () => ({
        connectorId,
        ...(!this.#station.quirks.metersWithoutTransaction && { transactionId: this.#idToSend }),
        meterValue: [meterValue],
      }),
      onAnswer: () => samples.forEach((sample) => (sample.acknowledged = true)),
      onDiscard: () => this.#discard('MeterValues'),
    });
  }

  /** Sends the StopTransaction. */
  stop(reason: StopReason | undefined, { withTransactionData = false, idTag }: StopOptions): void {
    if (!withTransactionData) this.sample('Transaction.End');
    const last = withTransactionData ? this.#measure('Transaction.End', 'MeterValuesSampledData') : undefined;
    const samples = last ? this.#enter(last) : [];
    const transactionData = withTransactionData ? [...this.#stopData(), ...(last ? [last] : [])] : [];
    const timestamp = last?.timestamp ?? this.#station.timestamp();
    const stop = { timestamp, meterStop: this.meterWh, reason: reason ?? 'Local', acknowledged: false };
    this.record.stop = stop;
    const { connectorId, meterStart } = this.record;
    const energyWh = stop.meterStop - meterStart;
    this.#station.emit('sessionStopped', { connectorId, energyWh, reason: stop.reason });
    this.#station.queue.add({
      action: 'StopTransaction',
      request: () => ({
        transactionId: this.#idToSend,
        meterStop: stop.meterStop,
        timestamp,
        ...(idTag && { idTag }),
        ...(reason && { reason }),
        ...(transactionData.length > 0 && { transactionData }),
      }),
      onAnswer: () => {
        [stop, ...samples].forEach((entry) => (entry.acknowledged = true));
        this.#delivered.resolve();
      },
      onDiscard: () => this.#discard('StopTransaction'),
    });
    this.#ended.abort();
  }

  /** Ends without a message, as if the station's process had ended. */
  abandon(): void {
    this.#ended.abort();
  }

  get #idToSend(): number {
    return this.transactionId ?? NEVER_ANSWERED;
  }

  /** The samples so far as StopTxnSampledData requires: the manager gets them a second time. */
  #stopData(): MeterValue[] {
    const measurands = this.#station.configuration.list('StopTxnSampledData');
    return this.#sampled
      .map(({ timestamp, sampledValue }) => ({
        timestamp,
        sampledValue: sampledValue.filter(({ measurand }) => measurands.includes(measurand ?? '')),
      }))
      .filter(({ sampledValue }) => sampledValue.length > 0);
  }

  #measure(context: SampleContext, configurationKey: string): MeterValue | undefined {
    const registerWh = this.meterWh;
    const chargedWh = registerWh - this.record.meterStart;
    const socPercent = Math.min(100, this.#socAtStart + (100 * chargedWh) / BATTERY_WH);
    const powerW = this.curve.powerW(this.#chargedSeconds);
    const measurands = this.#station.configuration.list(configurationKey);
    if (measurands.length === 0) return undefined;
    const { random } = this.#station;
    const timestamp = this.#station.timestamp();
    return sampleMeter({
      timestamp,
      context,
      reading: { registerWh, powerW, socPercent },
      measurands,
      random,
    });
  }

  #enter(meterValue: MeterValue): LedgerSample[] {
    const samples = toLedger(this.record.connectorId, meterValue);
    this.record.samples.push(...samples);
    return samples;
  }

  #learn({ transactionId, idTagInfo }: Responses['StartTransaction']): void {
    this.transactionId ??= transactionId;
    this.record.transactionIds.push(transactionId);
    this.record.idTagStatus ??= idTagInfo.status;
    this.#station.authorization.learn(this.record.idTag, idTagInfo);
    this.#answered.resolve();
  }

  #discard(action: string): void {
    this.record.discarded.push(action);
    if (action === 'StartTransaction') this.#answered.resolve();
    if (action === 'StopTransaction') this.#delivered.resolve();
  }
}
