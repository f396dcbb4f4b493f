import { once } from 'node:events';
import type { Caller, StationContext } from '../context/station-context.ts';

/** Resolves with the promise, or once the station is offline or closed, when the promise can no longer complete. */
export async function settledOrOffline(
  station: StationContext & Caller,
  promise: Promise<unknown>,
): Promise<void> {
  if (!station.isConnected) return;
  const settled = new AbortController();
  const { signal } = settled;
  const offline = once(station, 'disconnected', { signal }).catch(() => undefined);
  await Promise.race([promise, offline]).finally(() => settled.abort());
}

/** Resolves with the promise; rejects when the station is closed first. */
export async function unlessClosed(station: StationContext, promise: Promise<unknown>): Promise<void> {
  const { closed } = station;
  closed.throwIfAborted();
  let stopWaiting = () => {};
  const closing = new Promise<never>((_, reject) => {
    const fail = () => reject(closed.reason as Error);
    closed.addEventListener('abort', fail);
    stopWaiting = () => closed.removeEventListener('abort', fail);
  });
  await Promise.race([promise, closing]).finally(stopWaiting);
}
