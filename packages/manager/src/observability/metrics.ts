import { isAction } from '@evander/ocpp';
import { Metrics } from '@evander/process';

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const ROWS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000];

/** How far a webhook is behind the newest event. */
interface Behind {
  ids: number;
  seconds: number;
}

/** What a manager counts. */
export class ManagerMetrics {
  readonly #metrics = new Metrics();
  readonly #calls = this.#metrics.counter(
    'evander_calls_total',
    'Calls of stations: result, the code of the error they were answered with, or notStored.',
    ['action', 'outcome'],
  );
  readonly #callSeconds = this.#metrics.histogram(
    'evander_call_seconds',
    'From the arrival of a call at the manager to its answer.',
    { labelNames: ['action'], buckets: SECONDS },
  );
  readonly #commands = this.#metrics.counter(
    'evander_commands_total',
    'Commands that were completed, by their outcome.',
    ['action', 'outcome'],
  );
  readonly #commandSeconds = this.#metrics.histogram(
    'evander_command_seconds',
    'From the sending of a command to the answer of its station.',
    { labelNames: ['action'], buckets: SECONDS },
  );
  readonly #batchRows = this.#metrics.histogram('evander_batch_rows', 'Rows that one commit holds.', {
    labelNames: ['table'],
    buckets: ROWS,
  });
  readonly #queryErrors = this.#metrics.counter(
    'evander_database_query_errors_total',
    'Queries that the database refused or lost.',
  );
  readonly #webhooks = this.#metrics.counter(
    'evander_webhook_events_total',
    'Events posted to webhooks: delivered, failed (and tried again), dead (given up).',
    ['outcome'],
  );
  #behind: { webhookId: string; behind: Behind }[] = [];
  readonly #removed = this.#metrics.counter(
    'evander_retention_removed_total',
    'What was too old and is removed: partitions, and rows of tables without.',
    ['table', 'what'],
  );
  #retentionAt = 0;
  readonly #requests = this.#metrics.counter('evander_api_requests_total', 'Requests answered, by status.', [
    'status',
  ]);

  constructor() {
    for (const [unit, help] of [
      ['ids', 'Events that a webhook has not been sent yet.'],
      ['seconds', 'Age of the oldest event that a webhook has not been sent yet.'],
    ] as const)
      this.#metrics.gauges(`evander_webhook_behind_${unit}`, `${help} The same from each manager.`, {
        label: 'webhook',
        read: () =>
          Object.fromEntries(this.#behind.map(({ webhookId, behind }) => [webhookId, behind[unit]])),
      });
  }

  /** Tells of what is read from the manager itself when somebody looks. */
  watch(state: {
    pool(): { total: number; idle: number; waiting: number };
    isBrokerConnected(): boolean;
  }): void {
    this.#metrics.gauges(
      'evander_database_pool_connections',
      'Connections to the database, and requests that wait for one.',
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
      'When this manager last removed all that was too old; 0 when another does it.',
      () => this.#retentionAt,
    );
    this.#metrics.gauge('evander_broker_connected', '1 while the broker is there.', () =>
      state.isBrokerConnected() ? 1 : 0,
    );
  }

  countCall(action: string, outcome: string, seconds: number): void {
    // A station may invent as many actions as it likes; each label costs memory.
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

  /** All that was too old has been removed. */
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
