import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Context, Span } from '@opentelemetry/api';

const tracer = trace.getTracer('@evander/gateway');

/** A call as a span, from its frame or envelope to its answer. It costs next to nothing where OpenTelemetry is not set up. */
export class CallTrace {
  readonly #span: Span;
  readonly #context: Context;

  private constructor(action: string, kind: SpanKind, attributes: Record<string, string>) {
    // Stations may send any action: what names a span is to be short.
    this.#span = tracer.startSpan(action.slice(0, 50), { kind, attributes });
    this.#context = trace.setSpan(context.active(), this.#span);
  }

  /** A station's call: the root of its trace. */
  static ofStation(stationId: string, action: string, messageId: string): CallTrace {
    return new CallTrace(action, SpanKind.SERVER, attributesOf(stationId, messageId));
  }

  /** A command on its way to a station: part of the trace that it came in. */
  static ofCommand(stationId: string, action: string, messageId: string): CallTrace {
    return new CallTrace(action, SpanKind.CLIENT, attributesOf(stationId, messageId));
  }

  /** Runs `work` inside the span: what it publishes carries the trace. */
  within<T>(work: () => T): T {
    return context.with(this.#context, work);
  }

  /** Ends the span, with why when there is no result. */
  end(fault?: string): void {
    if (fault !== undefined) this.#span.setStatus({ code: SpanStatusCode.ERROR, message: fault });
    this.#span.end();
  }
}

function attributesOf(stationId: string, messageId: string): Record<string, string> {
  return { 'ocpp.station.id': stationId, 'ocpp.message.id': messageId };
}
