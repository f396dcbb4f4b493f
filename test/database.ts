import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { openDatabase } from '../packages/manager/src/database/database.ts';
import { migrate } from '../packages/manager/src/database/migrate.ts';
import { createPartitions } from '../packages/manager/src/database/partitions.ts';

const TEMPLATE = 'evander_template';
const OBJECT_IN_USE = '55006';

export interface TestDatabase {
  url: string;
  drop(): Promise<void>;
}

/** Creates a database with the current schema and today's partitions: a copy of the run's template. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const name = `evander_test_${randomBytes(8).toString('hex')}`;
  await maintain(`CREATE DATABASE ${name} TEMPLATE ${TEMPLATE}`);
  return { url: urlOf(name), drop: () => maintain(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) };
}

/** Recreates the template: on a server that outlives the run, the schema may have changed. */
export async function prepareTemplate(): Promise<void> {
  await maintain(`DROP DATABASE IF EXISTS ${TEMPLATE} WITH (FORCE)`);
  await maintain(`CREATE DATABASE ${TEMPLATE} TEMPLATE template0`);
  await migrate(urlOf(TEMPLATE));
  const database = openDatabase({ url: urlOf(TEMPLATE), poolSize: 1, onError: () => {} });
  await createPartitions(database, new Date());
  await database.close();
}

async function maintain(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: maintenanceUrl() });
  await client.connect();
  try {
    await retryWhileInUse(() => client.query(statement));
  } finally {
    await client.end();
  }
}

// A session that has just ended, or autovacuum, may hold the template for a moment; PostgreSQL itself waits up to 5 s.
async function retryWhileInUse(work: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await work();
      return;
    } catch (error) {
      if ((error as pg.DatabaseError).code !== OBJECT_IN_USE || attempt === 5) throw error;
      await delay(50);
    }
  }
}

function urlOf(database: string): string {
  const url = new URL(maintenanceUrl());
  url.pathname = `/${database}`;
  return url.href;
}

function maintenanceUrl(): string {
  const url = process.env.EVANDER_TEST_DATABASE_URL;
  if (url === undefined)
    throw new Error('EVANDER_TEST_DATABASE_URL is not set; test/global-setup.ts sets it');
  return url;
}
