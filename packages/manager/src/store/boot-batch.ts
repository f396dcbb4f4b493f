import * as boots from './boots.ts';
import type { Boot } from './boots.ts';
import * as configuration from './configuration.ts';
import type { Database } from './db.ts';
import * as goals from './goals.ts';
import * as jobs from './jobs.ts';
import * as openGoals from './open-goals.ts';
import * as passwordChanges from './password-changes.ts';
import type { RegistrationStatus } from './stations.ts';

/** Keeps the boots of stations, each here once, with all that a boot brings about; the registration status of each that is known. */
export async function recordBoots(
  database: Database,
  rows: Boot[],
): Promise<(RegistrationStatus | undefined)[]> {
  return database.transaction(async (db) => {
    const statuses = await boots.record(db, rows);
    await configuration.putInForce(db, rows);
    await passwordChanges.acceptAtBoot(db, rows);
    await jobs.noteBoots(db, rows);
    await goals.onBoot(db, rows);
    await openGoals.atBoot(db, rows);
    return rows.map(({ stationId }) => statuses.get(stationId));
  });
}
