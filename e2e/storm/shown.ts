import type { Fleet } from '@evander/station';
import type { System } from '../system.ts';

/** Whether each station is connected according to the API. */
export async function shownStations(system: System): Promise<Map<string, boolean>> {
  const shown = new Map<string, boolean>();
  for (let cursor = ''; ;) {
    const page = await system.api('GET', `/stations?limit=500${cursor && `&cursor=${cursor}`}`);
    for (const item of page.items as { stationId: string; connected: boolean }[])
      shown.set(item.stationId, item.connected);
    if (typeof page.nextCursor !== 'string') return shown;
    cursor = encodeURIComponent(page.nextCursor);
  }
}

/** Rejects unless the API knows every station. */
export async function expectKnown(system: System, fleets: readonly Fleet[]): Promise<void> {
  const shown = await shownStations(system);
  const missing = stationsOf(fleets).filter(({ stationId }) => !shown.has(stationId));
  if (missing.length > 0) throw new Error(`${missing.length} stations are unknown`);
}

/** Rejects unless the API shows exactly the connected stations as connected. */
export async function expectShown(system: System, fleets: readonly Fleet[]): Promise<void> {
  const shown = await shownStations(system);
  const wrong = stationsOf(fleets)
    .filter(({ stationId, isConnected }) => shown.get(stationId) !== isConnected)
    .map(({ stationId, isConnected }) => `${stationId} is ${isConnected ? '' : 'not '}connected`);
  if (wrong.length > 0) throw new Error(`shown wrong: ${wrong.slice(0, 10).join(', ')} (${wrong.length})`);
}

/** The stations of all fleets. */
export function stationsOf(fleets: readonly Fleet[]): Fleet['stations'] {
  return fleets.flatMap(({ stations }) => stations);
}
