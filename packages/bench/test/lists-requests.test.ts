import { expect, test } from '@jest/globals';
import pg from 'pg';
import { createTestDatabase } from '../../../test/database.ts';
import { fill, fleetOf } from '../src/lists-fill.ts';
import { placesOf } from '../src/lists-requests.ts';

test('even a small fleet has a row for each sub-list', async () => {
  const { url, drop } = await createTestDatabase();
  const client = new pg.Client(url);
  try {
    await client.connect();
    await fill(client, fleetOf(0.002), () => undefined);
    const places = Object.entries(await placesOf(client));
    expect(places.filter(([, value]) => value === null)).toEqual([]);
  } finally {
    await client.end();
    await drop();
  }
});
