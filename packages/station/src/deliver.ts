import { once } from 'node:events';
import type { Requests } from '@evander/ocpp';
import { ConnectionClosed } from './call-errors.ts';
import type { Station } from './station.ts';

/** Sends a notification, again after each lost connection, until it is answered or refused. */
export async function deliver<A extends keyof Requests>(
  station: Station,
  action: A,
  request: Requests[A],
): Promise<void> {
  const { closed } = station;
  while (!closed.aborted) {
    if (!station.isConnected) await once(station, 'connected', { signal: closed }).catch(() => undefined);
    try {
      await station.call(action, request);
      return;
    } catch (error) {
      if (!(error instanceof ConnectionClosed)) return;
    }
  }
}

/** Reports something of security interest (SEC A04); `type` is one of the paper's names or one of the vendor's. */
export function reportSecurityEvent(station: Station, type: string, techInfo?: string): Promise<void> {
  const timestamp = station.timestamp();
  return deliver(station, 'SecurityEventNotification', {
    type,
    timestamp,
    ...(techInfo !== undefined && { techInfo: techInfo.slice(0, 255) }),
  });
}
