import { context, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { decodeObject } from './envelope.ts';

/** The active trace as MQTT 5 correlation data, a JSON object with W3C's `traceparent`; undefined when nothing is traced. */
export function activeTrace(): Buffer | undefined {
  if (!trace.getActiveSpan()) return undefined;
  const carrier: Record<string, string> = {};
  propagation.inject(context.active(), carrier);
  return carrier.traceparent === undefined ? undefined : Buffer.from(JSON.stringify(carrier));
}

/** Runs `work` inside the trace that came as correlation data; whatever else stands there is passed over. */
export function withinTrace<T>(correlationData: Buffer | undefined, work: () => T): T {
  const carrier = correlationData && decodeObject(correlationData);
  return carrier ? context.with(propagation.extract(ROOT_CONTEXT, carrier), work) : work();
}
