import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Attributes } from '@opentelemetry/api';

const tracer = trace.getTracer('@evander/manager');

/** Kinds of spans: `consumer` for an envelope from MQTT, `producer` for a command to MQTT, `client` for a database query. */
const KINDS = { consumer: SpanKind.CONSUMER, producer: SpanKind.PRODUCER, client: SpanKind.CLIENT };

/**
 * Runs `work` as a span of the active trace. Database queries outside a trace, such as those of recurring jobs, start none. Costs next
 * to nothing if OpenTelemetry is not configured.
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
