import { createHmac } from 'node:crypto';
import type { Event } from '../events/events.store.ts';
import type { Outbound } from '../outbound/outbound.ts';

/** Outcome of a post: delivered, failed (to be retried), gone (410: never to be retried), or aborted by this manager. */
export type Outcome =
  | { kind: 'delivered' }
  | { kind: 'failed'; error: string }
  | { kind: 'gone'; error: string }
  | { kind: 'aborted' };

export interface Receiver {
  url: string;
  secret: string;
  outbound: Outbound;
  timeoutMs: number;
  /** Aborts the post. */
  signal: AbortSignal;
}

/**
 * The signature that authenticates a body and its time: `v1=` and the HMAC-SHA256 of "<timestamp>.<body>" in hexadecimal, with the
 * webhook's secret as its key. The timestamp is in seconds since 1970.
 */
export function sign(secret: string, timestamp: string, body: string): string {
  return `v1=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`;
}

/** Posts an event once. Never rejects: anything but a 2xx in time is an outcome other than `delivered`. */
export async function post(
  event: Event,
  { url, secret, outbound, timeoutMs, signal }: Receiver,
): Promise<Outcome> {
  const body = JSON.stringify(event);
  const timestamp = Math.floor(Date.now() / 1000).toString();
  try {
    const { status } = await outbound(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body).toString(),
        'evander-event-id': event.id.toString(),
        'evander-timestamp': timestamp,
        'evander-signature': sign(secret, timestamp, body),
      },
      body,
      timeoutMs,
      signal,
    });
    if (status >= 200 && status < 300) return { kind: 'delivered' };
    if (status === 410) return { kind: 'gone', error: 'the receiver answered 410 Gone' };
    return { kind: 'failed', error: `the receiver answered ${status}` };
  } catch (error) {
    if (signal.aborted) return { kind: 'aborted' };
    const { name, message } = error as Error;
    const isTimeout = name === 'TimeoutError' || name === 'AbortError';
    return { kind: 'failed', error: isTimeout ? `no answer within ${timeoutMs / 1000} s` : message };
  }
}
