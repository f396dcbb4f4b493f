import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Attributes } from '@opentelemetry/api';

const tracer = trace.getTracer('@evander/manager');

/** What is traced: `consumer` an envelope from MQTT, `producer` a command on its way to it, `client` a question to the database. */
const KINDS = { consumer: SpanKind.CONSUMER, producer: SpanKind.PRODUCER, client: SpanKind.CLIENT };

/**
 * Runs `work` as a span of the active trace. What the database is asked outside of any trace, by chores, begins none. It costs next to
 * nothing where OpenTelemetry is not set up.
 */
export function traced<T>(
  kind: keyof typeof KINDS,
  { name, ...attributes }: Attributes & { name: string },
  work: () => Promise<T>,
): Promise<T> {
  if (kind === 'client' && !trace.getActiveSpan()) return work();
  return tracer.startActiveSpan(name, { kind: KINDS[kind], attributes }, async (span) => {
    try {
      return await work();
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR, message: String(error) });
      throw error;
    } finally {
      span.end();
    }
  });
}
