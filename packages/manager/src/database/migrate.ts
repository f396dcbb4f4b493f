import { runner } from 'node-pg-migrate';
import { fileURLToPath } from 'node:url';

const MIGRATIONS = fileURLToPath(new URL('../../migrations', import.meta.url));

/** Brings the database to the newest schema. Several starters take turns; those that come late find nothing to do. */
export async function migrate(databaseUrl: string): Promise<void> {
  await runner({
    databaseUrl,
    dir: MIGRATIONS,
    direction: 'up',
    migrationsTable: 'migrations',
    advisoryLockMode: 'wait',
    // An older manager may go on beside this one in a rollout; it may have migrations that we do not know, too.
    checkOrder: false,
    log: () => {},
  });
}
