import * as configuration from '../configuration/configuration.store.ts';
import type { Database } from '../database/database.ts';
import * as openReconciliations from '../desired-state/open-reconciliations.store.ts';
import * as reconciliations from '../desired-state/reconciliations.store.ts';
import * as jobs from '../jobs/jobs.store.ts';
import * as boots from '../stations/boots.store.ts';
import type { Boot } from '../stations/boots.store.ts';
import * as passwordChanges from '../stations/password-changes.store.ts';
import type { RegistrationStatus } from '../stations/stations.store.ts';

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
    await reconciliations.onBoot(db, rows);
    await openReconciliations.atBoot(db, rows);
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
