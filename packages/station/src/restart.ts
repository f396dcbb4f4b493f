import { takeEffect } from './configuration-effects.ts';
import type { StopReason } from './session.ts';
import type { Station } from './station.ts';
import { settledOrOffline } from './until.ts';

/** How the station goes down and comes up. */
export type RestartOptions = {
  /** Why its transactions end. */
  reason: StopReason;
  /** Delivers the end of its transactions before it goes down, else after it is up. */
  isGraceful?: boolean;
  onSameSocket?: boolean;
};

/** The station restarts: sessions end, changes that waited for it take effect, and it boots again. */
export async function restart(station: Station, options: RestartOptions): Promise<void> {
  const { reason, isGraceful = false, onSameSocket = false } = options;
  if (!isGraceful && !onSameSocket) await station.disconnect();
  for (const connector of station.connectors) connector.stop(reason);
  if (isGraceful) await settledOrOffline(station, station.queue.drained());
  if (!onSameSocket) await station.disconnect();
  comeUp(station);
  await station.goOnline();
  await station.boot();
}

/** Over a new socket from now on, as after a change of how it authenticates. */
export async function reconnect(station: Station): Promise<void> {
  await station.disconnect();
  await station.goOnline();
}

/** What is left of the station after a restart, before it boots. */
export function comeUp(station: Station): void {
  station.registration.forget();
  for (const key of station.configuration.reboot()) takeEffect(station, key);
  station.security.comeUp();
  for (const connector of [station.connector(0), ...station.connectors]) connector.comeUp();
}
