import { afterEach } from '@jest/globals';
import type { Station, StationOptions } from '../src/index.ts';
import { Manager, quickStation } from './manager.ts';

const open: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

/** A manager and a station that are closed when the test ends. */
export async function startPair(
  options: Partial<StationOptions> = {},
): Promise<{ manager: Manager; station: Station }> {
  const manager = await new Manager().listen();
  const station = quickStation(manager, options);
  open.push(manager, station);
  return { manager, station };
}

/** The same, with the station connected and accepted. */
export async function bootPair(
  options: Partial<StationOptions> = {},
): Promise<{ manager: Manager; station: Station }> {
  const pair = await startPair(options);
  await pair.station.connect();
  await pair.station.boot();
  return pair;
}

/** Closed when the test ends. */
export function closeLater<T extends { close(): Promise<void> }>(one: T): T {
  open.push(one);
  return one;
}
