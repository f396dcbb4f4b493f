import { isAction } from '@evander/ocpp';
import { Metrics } from '@evander/process';

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const ROWS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000];

/** How far a webhook is behind the newest event. */
interface Behind {
  ids: number;
  seconds: number;
}

/** Metrics of a manager. */
export class ManagerMetrics {
  readonly #metrics = new Metrics();
  readonly #calls = this.#metrics.counter(
    'evander_calls_total',
    'Calls of stations by outcome: result, the error code of the answer, or notStored.',
    ['action', 'outcome'],
  );
  readonly #callSeconds = this.#metrics.histogram(
    'evander_call_seconds',
    'Time from the arrival of a call at the manager to its answer.',
    { labelNames: ['action'], buckets: SECONDS },
  );
  readonly #commands = this.#metrics.counter('evander_commands_total', 'Completed commands by outcome.', [
    'action',
    'outcome',
  ]);
  readonly #commandSeconds = this.#metrics.histogram(
    'evander_command_seconds',
    'Time from sending a command to the answer of the station.',
    { labelNames: ['action'], buckets: SECONDS },
  );
  readonly #batchRows = this.#metrics.histogram('evander_batch_rows', 'Rows per commit.', {
    labelNames: ['table'],
    buckets: ROWS,
  });
  readonly #queryErrors = this.#metrics.counter(
    'evander_database_query_errors_total',
    'Failed database queries.',
  );
  readonly #webhooks = this.#metrics.counter(
    'evander_webhook_events_total',
    'Events posted to webhooks by outcome: delivered, failed (will be retried), dead (given up).',
    ['outcome'],
  );
  #behind: { webhookId: string; behind: Behind }[] = [];
  readonly #removed = this.#metrics.counter(
    'evander_retention_removed_total',
    'Old data that retention removed: partitions, and rows of tables without partitions.',
    ['table', 'what'],
  );
  #retentionAt = 0;
  readonly #requests = this.#metrics.counter('evander_api_requests_total', 'API requests by status.', [
    'status',
  ]);

  constructor() {
    for (const [unit, help] of [
      ['ids', 'Number of events not yet sent to a webhook.'],
      ['seconds', 'Age of the oldest event not yet sent to a webhook.'],
    ] as const)
      this.#metrics.gauges(`evander_webhook_behind_${unit}`, `${help} All managers report the same.`, {
        label: 'webhook',
        read: () =>
          Object.fromEntries(this.#behind.map(({ webhookId, behind }) => [webhookId, behind[unit]])),
      });
  }

  /** Adds gauges that are read from the manager at each scrape. */
  watch(state: {
    pool(): { total: number; idle: number; waiting: number };
    isBrokerConnected(): boolean;
  }): void {
    this.#metrics.gauges(
      'evander_database_pool_connections',
      'Database connections by state, and requests waiting for one.',
      {
        label: 'state',
        read: () => {
          const { total, idle, waiting } = state.pool();
          return { busy: total - idle, idle, waiting };
        },
      },
    );
    this.#metrics.gauge(
      'evander_retention_done_timestamp_seconds',
      'Time when this manager last completed a retention run; 0 if another manager does so.',
      () => this.#retentionAt,
    );
    this.#metrics.gauge('evander_broker_connected', '1 while connected to the broker.', () =>
      state.isBrokerConnected() ? 1 : 0,
    );
  }

  countCall(action: string, outcome: string, seconds: number): void {
    // A station may send arbitrary actions, and each label costs memory.
    const known = isAction(action) ? action : 'unknown';
    this.#calls.inc({ action: known, outcome });
    this.#callSeconds.observe({ action: known }, seconds);
  }

  countCommand(action: string, outcome: string, seconds?: number): void {
    this.#commands.inc({ action, outcome });
    if (seconds !== undefined) this.#commandSeconds.observe({ action }, seconds);
  }

  countBatch(table: string, rows: number): void {
    this.#batchRows.observe({ table }, rows);
  }

  countQueryError(): void {
    this.#queryErrors.inc();
  }

  countWebhook(outcome: 'delivered' | 'failed' | 'dead', events: number): void {
    if (events > 0) this.#webhooks.inc({ outcome }, events);
  }

  noteWebhooksBehind(behind: { webhookId: string; behind: Behind }[]): void {
    this.#behind = behind;
  }

  countRemoved(table: string, removed: Record<'partitions' | 'rows', number>): void {
    for (const what of ['partitions', 'rows'] as const)
      if (removed[what] > 0) this.#removed.inc({ table, what }, removed[what]);
  }

  /** Records a completed retention run. */
  noteRetention(at: Date): void {
    this.#retentionAt = at.getTime() / 1000;
  }

  countRequest(status: number): void {
    this.#requests.inc({ status });
  }

  get contentType(): string {
    return this.#metrics.contentType;
  }

  text(): Promise<string> {
    return this.#metrics.text();
  }
}
