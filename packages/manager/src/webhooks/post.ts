import { createHmac } from 'node:crypto';
import type { Event } from '../events/events.store.ts';
import type { Outbound } from '../outbound/outbound.ts';

/** What came of a try: taken, refused for now, refused for good (410), or broken off by us. */
export type Outcome =
  | { kind: 'delivered' }
  | { kind: 'failed'; error: string }
  | { kind: 'gone'; error: string }
  | { kind: 'brokenOff' };

export interface Receiver {
  url: string;
  secret: string;
  outbound: Outbound;
  timeoutMs: number;
  /** Breaks the try off. */
  signal: AbortSignal;
}

/**
 * What proves that a body is ours and fresh: `v1=` and the HMAC-SHA256 of "<timestamp>.<body>" in hexadecimal, under the webhook's
 * secret as it was shown; the timestamp is in seconds since 1970.
 */
export function sign(secret: string, timestamp: string, body: string): string {
  return `v1=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`;
}

/** Posts an event once. Never rejects: what is not answered with 2xx in time is told as a failure. */
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
    if (signal.aborted) return { kind: 'brokenOff' };
    const { name, message } = error as Error;
    const isTimeout = name === 'TimeoutError' || name === 'AbortError';
    return { kind: 'failed', error: isTimeout ? `no answer within ${timeoutMs / 1000} s` : message };
  }
}
