import { context, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { decodeObject } from './payload.ts';

const NO_TRACE = Buffer.from('{}');

/**
 * The active trace as MQTT 5 correlation data: a JSON object with W3C's `traceparent`. It is `{}` without a trace, because MaEVe's gateway
 * expects an object and warns about messages without one.
 */
export function correlationData(): Buffer {
  if (!trace.getActiveSpan()) return NO_TRACE;
  const carrier: Record<string, string> = {};
  propagation.inject(context.active(), carrier);
  return Buffer.from(JSON.stringify(carrier));
}

/** Runs `work` within the trace in the correlation data; other data in it is ignored. */
export function withinTrace<T>(correlationData: Buffer | undefined, work: () => T): T {
  const carrier = correlationData && decodeObject(correlationData);
  return carrier ? context.with(propagation.extract(ROOT_CONTEXT, carrier), work) : work();
}
