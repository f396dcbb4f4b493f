import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

type Labels<L extends string> = Partial<Record<L, string | number>>;

/** Prometheus metrics of one part of a process. */
export class Metrics {
  readonly #registry = new Registry();

  /** Includes the process metrics: CPU, memory, event loop, garbage collection. */
  constructor() {
    collectDefaultMetrics({ register: this.#registry });
  }

  counter<const L extends string = never>(
    name: string,
    help: string,
    labelNames: readonly L[] = [],
  ): { inc(labels?: Labels<L>, count?: number): void } {
    const counter = new Counter<L>({ name, help, labelNames, registers: [this.#registry] });
    return { inc: (labels = {}, count = 1) => counter.inc(labels, count) };
  }

  histogram<const L extends string = never>(
    name: string,
    help: string,
    { labelNames = [], buckets }: { labelNames?: readonly L[]; buckets: number[] },
  ): { observe(labels: Labels<L>, value: number): void } {
    const histogram = new Histogram<L>({ name, help, labelNames, buckets, registers: [this.#registry] });
    return { observe: (labels, value) => histogram.observe(labels, value) };
  }

  /** A gauge that is read at scrape time. */
  gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.#registry],
      collect() {
        this.set(read());
      },
    });
  }

  /** The same with one value per label value. */
  gauges<const L extends string>(
    name: string,
    help: string,
    { label, read }: { label: L; read: () => Record<string, number> },
  ): void {
    new Gauge<L>({
      name,
      help,
      labelNames: [label],
      registers: [this.#registry],
      collect() {
        // Values that no longer exist must disappear.
        this.reset();
        for (const [labelValue, value] of Object.entries(read()))
          this.set({ [label]: labelValue } as Labels<L>, value);
      },
    });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** All metrics in Prometheus text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }
}
