import * as boots from './boots.ts';
import type { Boot } from './boots.ts';
import * as configuration from './configuration.ts';
import type { Database } from './db.ts';
import * as goals from './goals.ts';
import * as jobs from './jobs.ts';
import * as openGoals from './open-goals.ts';
import * as passwordChanges from './password-changes.ts';
import type { RegistrationStatus } from './stations.ts';

/** What a boot is answered: undefined where the station is not known, or no interval is desired of it. */
export interface BootAnswer {
  status: RegistrationStatus | undefined;
  desiredSeconds: number | undefined;
}

/** Keeps the boots of stations, each here once, with all that a boot brings about; what each is answered. */
export async function recordBoots(database: Database, rows: Boot[]): Promise<BootAnswer[]> {
  return database.transaction(async (db) => {
    const statuses = await boots.record(db, rows);
    await configuration.putInForce(db, rows);
    await passwordChanges.acceptAtBoot(db, rows);
    await jobs.noteBoots(db, rows);
    await goals.onBoot(db, rows);
    await openGoals.atBoot(db, rows);
    const seconds = await configuration.heartbeatSeconds(
      db,
      rows.map(({ stationId }) => stationId),
    );
    return rows.map(({ stationId }) => ({
      status: statuses.get(stationId),
      desiredSeconds: seconds.get(stationId),
    }));
  });
}
