import type { Db } from '../store/db.ts';
import * as stations from '../store/stations.ts';
import { Problem } from './problem.ts';

/** Throws Problem 404 for a station that is not known. */
export async function requireStation(db: Db, stationId: string): Promise<void> {
  if (await stations.find(db, stationId)) return;
  const path = `/api/v1/stations/${encodeURIComponent(stationId)}`;
  throw new Problem(404, `station ${stationId} is not known; PUT ${path} adds it`);
}
