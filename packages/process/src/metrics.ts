import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

type Labels<L extends string> = Partial<Record<L, string | number>>;

/** The metrics of one part of a process, named and counted as Prometheus has it. */
export class Metrics {
  readonly #registry = new Registry();

  /** With those of the process itself: CPU, memory, event loop, garbage collection. */
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

  /** A gauge that is read when somebody looks. */
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

  /** The same with a value for each word of a label. */
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
        // What is there no more is not reported either.
        this.reset();
        for (const [word, value] of Object.entries(read())) this.set({ [label]: word } as Labels<L>, value);
      },
    });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** All of them as text. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }
}
