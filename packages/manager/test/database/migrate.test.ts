import { OperationalError } from '@evander/process';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readdirSync } from 'node:fs';
import pg from 'pg';
import { createTestDatabase } from '../../../../test/database.ts';
import type { TestDatabase } from '../../../../test/database.ts';
import { migrate } from '../../src/database/migrate.ts';

const FILES = readdirSync(new URL('../../migrations', import.meta.url)).sort();

let database: TestDatabase;
let client: pg.Client;
beforeAll(async () => {
  database = await createTestDatabase();
  client = new pg.Client({ connectionString: database.url });
  await client.connect();
  // The copy of the template is already migrated.
  await client.query('DROP SCHEMA public CASCADE');
  await client.query('CREATE SCHEMA public');
});
afterAll(async () => {
  await client.end();
  await database.drop();
});

async function applied(): Promise<number> {
  const { rows } = await client.query<{ count: string }>('SELECT count(*) AS count FROM migrations');
  return Number(rows[0]?.count);
}

test('when managers start at the same time, one migrates and the others wait', async () => {
  await Promise.all(Array.from({ length: 6 }, () => migrate(database.url)));
  expect(await applied()).toBe(FILES.length);
  await migrate(database.url);
  expect(await applied()).toBe(FILES.length);
});

test('the files are numbered without gaps', () => {
  const numbers = FILES.map((file) => /^(\d{4})-[a-z0-9-]+\.sql$/.exec(file)?.[1]);
  expect(numbers).toEqual(FILES.map((_, i) => String(i + 1).padStart(4, '0')));
});

test('a previous version starts on a database that a newer one has migrated', async () => {
  await client.query(`INSERT INTO migrations (name, run_on) VALUES ('9999-of-a-newer-version', now())`);
  await client.query(`ALTER TABLE stations ADD COLUMN of_a_newer_version text NOT NULL DEFAULT ''`);
  await migrate(database.url);
  expect(await applied()).toBe(FILES.length + 1);
});

test('a database from before the first release is rejected in plain words, and left as it is', async () => {
  await client.query('DELETE FROM migrations');
  await client.query(
    `INSERT INTO migrations (name, run_on) VALUES ('0001_stations', now()), ('0002_transactions', now())`,
  );
  const rejected = migrate(database.url);
  await expect(rejected).rejects.toThrow(OperationalError);
  await expect(rejected).rejects.toThrow(
    /created by a version of Evander from before the first release \(its first migration is 0001_stations, .*EVANDER_DATA_DIR.*EVANDER_DATABASE_URL/,
  );
  expect(await applied()).toBe(2);
});
