import * as configuration from '../configuration/configuration.store.ts';
import type { Database } from '../database/database.ts';
import * as openReconciliations from '../desired-state/open-reconciliations.store.ts';
import * as reconciliations from '../desired-state/reconciliations.store.ts';
import * as jobs from '../jobs/jobs.store.ts';
import * as boots from '../stations/boots.store.ts';
import type { Boot } from '../stations/boots.store.ts';
import * as passwordChanges from '../stations/password-changes.store.ts';
import type { RegistrationStatus } from '../stations/stations.store.ts';

/** What the response to a boot depends on. */
export interface BootAnswer {
  /** Undefined if the station is unknown. */
  status: RegistrationStatus | undefined;
  /** Desired heartbeat interval; undefined if none is set. */
  desiredSeconds: number | undefined;
}

/** Stores boots with all their effects, at most one boot per station, and returns the answer to each. */
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
