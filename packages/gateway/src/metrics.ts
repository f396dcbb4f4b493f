import { Metrics } from '@evander/process';

const TYPES = { 2: 'call', 3: 'result', 4: 'error', malformed: 'malformed' } as const;

export interface GatewayState {
  connections(): number;
  unansweredCalls(): number;
  isBrokerConnected(): boolean;
}

/** Prometheus metrics of a gateway. */
export class GatewayMetrics {
  readonly #metrics = new Metrics();
  readonly #frames = this.#metrics.counter('evander_gateway_frames_total', 'Frames on stations’ sockets.', [
    'direction',
    'type',
  ]);
  readonly #refused = this.#metrics.counter(
    'evander_gateway_refused_handshakes_total',
    'Handshakes that were rejected, by the status of the answer.',
    ['status'],
  );

  readonly #droppedAnswers = this.#metrics.counter(
    'evander_gateway_dropped_answers_total',
    'Answers to commands that were given up before a manager acknowledged them.',
    [],
  );

  readonly #cut = this.#metrics.counter(
    'evander_gateway_cut_connections_total',
    'Connections cut before there was a request: over a limit, or with an invalid PROXY protocol header.',
    [],
  );

  /** Registers gauges that are read at scrape time. */
  watch(state: GatewayState): void {
    this.#metrics.gauge('evander_gateway_connections', 'Stations connected to this gateway.', () =>
      state.connections(),
    );
    this.#metrics.gauge(
      'evander_gateway_unanswered_calls',
      'Calls of stations that wait for their answer.',
      () => state.unansweredCalls(),
    );
    this.#metrics.gauge('evander_broker_connected', '1 while the broker is there.', () =>
      state.isBrokerConnected() ? 1 : 0,
    );
  }

  /** Registers the expiry time of the server certificate that expires first. */
  watchCertificates(expiresAtMs: () => number): void {
    this.#metrics.gauge(
      'evander_gateway_certificate_expiry_seconds',
      'Unix time at which the first server certificate ends; NaN without one.',
      () => expiresAtMs() / 1000,
    );
  }

  countFrame(direction: 'in' | 'out', type: keyof typeof TYPES): void {
    this.#frames.inc({ direction, type: TYPES[type] });
  }

  countDroppedAnswer(): void {
    this.#droppedAnswers.inc({});
  }

  countRefusal(status: number): void {
    this.#refused.inc({ status });
  }

  countCut(): void {
    this.#cut.inc();
  }

  get contentType(): string {
    return this.#metrics.contentType;
  }

  text(): Promise<string> {
    return this.#metrics.text();
  }
}
