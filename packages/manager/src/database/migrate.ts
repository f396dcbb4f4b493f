import { runner } from 'node-pg-migrate';
import { fileURLToPath } from 'node:url';

const MIGRATIONS = fileURLToPath(new URL('../../migrations', import.meta.url));

/** Migrates the database to the newest schema. Concurrent callers wait for each other; later ones find nothing to do. */
export async function migrate(databaseUrl: string): Promise<void> {
  await runner({
    databaseUrl,
    dir: MIGRATIONS,
    direction: 'up',
    migrationsTable: 'migrations',
    advisoryLockMode: 'wait',
    // In a rollout, managers of different versions run side by side, so the database may have migrations unknown to this version.
    checkOrder: false,
    log: () => {},
  });
}
