import { once } from 'node:events';
import type { Requests, Responses } from '@evander/ocpp';
import type { Caller, StationContext } from '../context/station-context.ts';
import { ConnectionClosed } from './call-errors.ts';

/** Sends a notification, again after each lost connection, until it is answered or refused; returns undefined if it is refused. */
export async function deliver<A extends keyof Requests>(
  station: StationContext & Caller,
  action: A,
  request: Requests[A],
): Promise<Responses[A] | undefined> {
  const { closed } = station;
  while (!closed.aborted) {
    if (!station.isConnected) await once(station, 'connected', { signal: closed }).catch(() => undefined);
    try {
      return await station.call(action, request);
    } catch (error) {
      if (!(error instanceof ConnectionClosed)) return undefined;
    }
  }
  return undefined;
}

/** Reports a security event (SEC A04); `type` is one of the specification's or the vendor's names. */
export async function reportSecurityEvent(
  station: StationContext & Caller,
  type: string,
  techInfo?: string,
): Promise<void> {
  const timestamp = station.timestamp();
  if (!station.isConnected) await untilKnown(station);
  await deliver(station, 'SecurityEventNotification', {
    type,
    timestamp,
    ...(techInfo !== undefined && { techInfo: techInfo.slice(0, 255) }),
  });
}

/** Waits until the station is connected and known: before the first boot is answered the manager accepts nothing else (§4.2). */
async function untilKnown(station: StationContext & Caller): Promise<void> {
  const { closed } = station;
  const isKnown = () => station.isConnected && /Accepted|Pending/.test(station.registrationStatus ?? '');
  while (!closed.aborted && !isKnown()) {
    const found = new AbortController();
    const signal = AbortSignal.any([closed, found.signal]);
    const events = (['connected', 'booted'] as const).map((name) => once(station, name, { signal }));
    await Promise.race(events).catch(() => undefined);
    events.forEach((event) => void event.catch(() => undefined));
    found.abort();
  }
}
