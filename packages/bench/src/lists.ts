import type pg from 'pg';
import { fetched, percentile } from './fetched.ts';
import { withKeptDatabase } from './kept-database.ts';
import { fill, fleetOf } from './lists-fill.ts';
import { listsOf, placesOf } from './lists-requests.ts';
import type { OpenApi } from './lists-requests.ts';

/**
 * Prints how long each list takes on a large database: all routes × filters, and all pairs of filters, from the OpenAPI document.
 * EVANDER_BENCH_SCALE 1 is 20,000 stations, 1 M transactions, 20 M meter values, 1 M events: about 10 GB, filled in a few minutes.
 * EVANDER_BENCH_DATABASE_URL names a persistent database, which is filled once; otherwise an embedded one is created and removed.
 */
const SCALE = Number(process.env.EVANDER_BENCH_SCALE ?? 0.02);
const RUNS = 5;
const TARGET_MS = 50;

/** The times of a request in ms, without the first one. */
async function timesOf(url: string): Promise<number[]> {
  await fetched(url);
  const times: number[] = [];
  for (let i = 0; i < RUNS; i++) times.push((await fetched(url)).ms);
  return times;
}

/** There are thousands of pairs: each is asked once, and again only if that took too long, which may have been another process. */
async function pairMs(url: string): Promise<number> {
  await fetched(url);
  const { ms } = await fetched(url);
  return ms > TARGET_MS ? percentile(await timesOf(url), 0.5) : ms;
}

async function measureLists(apiUrl: string, client: pg.Client): Promise<void> {
  const openApi = JSON.parse((await fetched(new URL('/openapi.json', apiUrl))).text) as OpenApi;
  const lists = listsOf(openApi, await placesOf(client));
  let slow = 0;
  console.log('| list | filter | p50 ms | max ms |\n| --- | --- | --- | --- |');
  for (const { path, single, pairs } of lists) {
    for (const query of single) {
      const times = await timesOf(`${apiUrl}${path}?${query}`);
      if (percentile(times, 0.5) > TARGET_MS) slow++;
      console.log(
        `| ${path} | ${query} | ${percentile(times, 0.5).toFixed(1)} | ${percentile(times, 1).toFixed(1)} |`,
      );
    }
    const times: { query: string; ms: number }[] = [];
    for (const query of pairs) times.push({ query, ms: await pairMs(`${apiUrl}${path}?${query}`) });
    times.sort((one, other) => other.ms - one.ms);
    const slowPairs = times.filter(({ ms }) => ms > TARGET_MS);
    slow += slowPairs.length;
    for (const { query, ms } of slowPairs.length > 0 ? slowPairs : times.slice(0, 2))
      console.log(`| ${path} | ${query}: of ${times.length} pairs | ${ms.toFixed(1)} | |`);
  }
  console.log(`${slow} requests take more than ${TARGET_MS} ms`);
}

async function isEmpty(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ empty: boolean }>(
    'SELECT NOT EXISTS (SELECT FROM stations) AS empty',
  );
  return rows[0]?.empty === true;
}

await withKeptDatabase(async ({ apiUrl, client }) => {
  if (await isEmpty(client)) {
    const startedMs = performance.now();
    await fill(client, fleetOf(SCALE), console.log);
    console.log(`filled in ${((performance.now() - startedMs) / 1000).toFixed(0)} s`);
  }
  await measureLists(apiUrl, client);
});
