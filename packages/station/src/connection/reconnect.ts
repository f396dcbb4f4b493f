import type { Connectivity } from '../context/station-context.ts';

/** Over a new socket from now on, as after a change of how it authenticates. */
export async function reconnect(station: Connectivity): Promise<void> {
  await station.disconnect();
  await station.goOnline();
}
