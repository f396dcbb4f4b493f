import type { Connectivity } from '../context/station-context.ts';

/** Reconnects over a new socket, for example after a change of authentication. */
export async function reconnect(station: Connectivity): Promise<void> {
  await station.disconnect();
  await station.goOnline();
}
