import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import { withKeptDatabase } from './kept-database.ts';
import { openAll } from './load.ts';
import { usageOf } from './processes.ts';
import type { Watched } from './processes.ts';

/**
 * Prints the database load of an idle gateway and manager, with no station and with a thousand. EVANDER_BENCH_DATABASE_URL names a database
 * to use instead of an empty one, as filled by pnpm bench:lists. The time of each statement is printed if pg_stat_statements is loaded.
 */
const SECONDS = Number(process.env.EVANDER_BENCH_SECONDS ?? 20);
const STATIONS = Number(process.env.EVANDER_BENCH_STATIONS ?? 1000);
/** By then the start and the stations' boot messages are finished. */
const SETTLE_MS = 8000;
const SHOWN = 10;

interface Statement {
  query: string;
  calls: number;
  ms: number;
}

async function commits(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ n: string }>(
    'SELECT xact_commit + xact_rollback AS n FROM pg_stat_database WHERE datname = current_database()',
  );
  return Number(rows[0]?.n);
}

async function resetStatements(client: pg.Client): Promise<boolean> {
  try {
    await client.query('CREATE EXTENSION IF NOT EXISTS pg_stat_statements');
    await client.query('SELECT pg_stat_statements_reset()');
    return true;
  } catch {
    return false;
  }
}

async function statements(client: pg.Client): Promise<Statement[]> {
  const { rows } = await client.query<Statement>(
    `SELECT regexp_replace(query, '\\s+', ' ', 'g') AS query, calls::int, total_exec_time + total_plan_time AS ms FROM pg_stat_statements
     WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) ORDER BY ms DESC`,
  );
  return rows;
}

async function measure(what: string, client: pg.Client, server: Watched | undefined): Promise<void> {
  await pause(SETTLE_MS);
  const isCounted = await resetStatements(client);
  const before = { commits: await commits(client), cpu: usageOf(server?.pids() ?? []).cpu };
  await pause(SECONDS * 1000);
  const rate = ((await commits(client)) - before.commits) / SECONDS;
  const cpu = ((usageOf(server?.pids() ?? []).cpu - before.cpu) * 1000) / SECONDS;
  console.log(
    `${what}: ${rate.toFixed(1)} transactions/s${server ? `, ${cpu.toFixed(1)} ms of CPU a second` : ''}`,
  );
  if (!isCounted) return;
  const all = await statements(client);
  const sum = (of: (one: Statement) => number): string =>
    (all.reduce((total, one) => total + of(one), 0) / SECONDS).toFixed(1);
  console.log(`  ${sum(({ calls }) => calls)} statements/s take ${sum(({ ms }) => ms)} ms/s, most of it`);
  for (const { query, calls, ms } of all.slice(0, SHOWN))
    console.log(
      `  ${(ms / SECONDS).toFixed(2)} ms/s, ${(calls / SECONDS).toFixed(1)}/s: ${query.slice(0, 100)}`,
    );
}

await withKeptDatabase(async ({ url, client, server }) => {
  await measure('no station', client, server);
  const callers = await openAll(url, STATIONS, 'IDLE');
  await measure(`${STATIONS} stations`, client, server);
  for (const caller of callers) caller.close();
});
