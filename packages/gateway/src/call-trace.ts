import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Context, Span } from '@opentelemetry/api';

const tracer = trace.getTracer('@evander/gateway');

/** A span for one call, from its frame or envelope to its answer. It costs almost nothing without OpenTelemetry. */
export class CallTrace {
  readonly #span: Span;
  readonly #context: Context;

  private constructor(action: string, kind: SpanKind, attributes: Record<string, string>) {
    // Stations may send any action; keep span names short.
    this.#span = tracer.startSpan(action.slice(0, 50), { kind, attributes });
    this.#context = trace.setSpan(context.active(), this.#span);
  }

  /** A station's call: the root of its trace. */
  static ofStation(stationId: string, action: string, messageId: string): CallTrace {
    return new CallTrace(action, SpanKind.SERVER, attributesOf(stationId, messageId));
  }

  /** A command to a station: part of the trace that it arrived in. */
  static ofCommand(stationId: string, action: string, messageId: string): CallTrace {
    return new CallTrace(action, SpanKind.CLIENT, attributesOf(stationId, messageId));
  }

  /** Runs `work` inside the span, so that messages published there carry the trace. */
  within<T>(work: () => T): T {
    return context.with(this.#context, work);
  }

  /** Ends the span; `fault` says why there is no result. */
  end(fault?: string): void {
    if (fault !== undefined) this.#span.setStatus({ code: SpanStatusCode.ERROR, message: fault });
    this.#span.end();
  }
}

function attributesOf(stationId: string, messageId: string): Record<string, string> {
  return { 'ocpp.station.id': stationId, 'ocpp.message.id': messageId };
}
