import { OperationalError } from '@evander/process';
import { runner } from 'node-pg-migrate';
import { fileURLToPath } from 'node:url';
import pg from 'pg';

const MIGRATIONS = fileURLToPath(new URL('../../migrations', import.meta.url));
const FIRST = '0001-database';

/** Brings the database to the newest schema. If several managers start at once, one migrates and the others wait. */
export async function migrate(databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  // A lost connection also rejects the query that is running; without a listener it would end the process.
  client.on('error', () => {});
  await client.connect();
  try {
    await rejectUnreleased(client);
    await runner({
      dbClient: client,
      dir: MIGRATIONS,
      direction: 'up',
      migrationsTable: 'migrations',
      advisoryLockMode: 'wait',
      // During a rollout an older manager may start after a newer one: there are migrations that it does not know.
      checkOrder: false,
      log: () => {},
    });
  } finally {
    await client.end();
  }
}

/** Before the first release, all migrations were replaced: a database with the previous ones has tables that these would create. */
async function rejectUnreleased(client: pg.Client): Promise<void> {
  const first = await firstMigration(client);
  if (first === undefined || first === FIRST) return;
  throw new OperationalError(
    `the database was created by a version of Evander from before the first release (its first migration is ${first}, not ${FIRST}) and cannot be migrated. ` +
      'Start with an empty database: if "evander start" runs its own PostgreSQL, remove the directory postgres in EVANDER_DATA_DIR; otherwise create a database and set EVANDER_DATABASE_URL to it. ' +
      'To keep data, dump them first with pg_dump --data-only, while the previous version runs, and load them into the new tables by hand',
  );
}

async function firstMigration(client: pg.Client): Promise<string | undefined> {
  const table = await client.query<{ exists: boolean }>(
    "SELECT to_regclass('public.migrations') IS NOT NULL AS exists",
  );
  if (table.rows[0]?.exists !== true) return undefined;
  const { rows } = await client.query<{ name: string }>(
    'SELECT name FROM public.migrations ORDER BY id LIMIT 1',
  );
  return rows[0]?.name;
}
