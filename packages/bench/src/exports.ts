import { performance } from 'node:perf_hooks';
import { withKeptDatabase } from './kept-database.ts';
import { fill, fleetOf } from './lists-fill.ts';
import { measurePaced, meterValues, openAll } from './load.ts';
import type { Caller } from './load.ts';
import { usageOf } from './processes.ts';
import type { Watched } from './processes.ts';
import { ADMIN_KEY } from './system.ts';

/**
 * Prints how four concurrent CSV exports from one manager affect stations. EVANDER_BENCH_DATABASE_URL names a persistent database, as for
 * pnpm bench:lists; EVANDER_BENCH_SCALE is the size of a temporary one.
 */
const SCALE = Number(process.env.EVANDER_BENCH_SCALE ?? 0.2);
const SECONDS = Number(process.env.EVANDER_BENCH_SECONDS ?? 10);
const EXPORTS = 4;
const STATIONS = 200;
const CALLS_PER_SECOND = 200;

/** Reads exports one after another until stopped; returns the bytes. */
async function readExports(apiUrl: string, signal: AbortSignal): Promise<number> {
  let bytes = 0;
  try {
    for (;;) {
      const headers = { authorization: `Bearer ${ADMIN_KEY}` };
      const response = await fetch(`${apiUrl}/transactions.csv`, { headers, signal });
      for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) bytes += chunk.length;
    }
  } catch (error) {
    if (signal.aborted) return bytes;
    throw error;
  }
}

async function measure(what: string, callers: Caller[], manager: Watched): Promise<void> {
  const [before, startedMs] = [usageOf(manager.pids()).cpu, performance.now()];
  const rate = await measurePaced(callers, { perSecond: CALLS_PER_SECOND, seconds: SECONDS }, meterValues);
  const cpu = (usageOf(manager.pids()).cpu - before) / ((performance.now() - startedMs) / 1000);
  console.log(
    `${what}: ${rate.perSecond.toFixed(0)} MeterValues/s, p50 ${rate.p50Ms.toFixed(1)} ms, p99 ${rate.p99Ms.toFixed(1)} ms; ` +
      `manager ${cpu.toFixed(2)} s of CPU a second`,
  );
}

await withKeptDatabase(async ({ url, apiUrl, client, manager, server }) => {
  if (server !== undefined) await fill(client, fleetOf(SCALE), console.log);
  const callers = await openAll(url, STATIONS, 'EXPORT');
  await measure('no export', callers, manager);
  const stop = new AbortController();
  const [startedMs, reading] = [
    performance.now(),
    Array.from({ length: EXPORTS }, () => readExports(apiUrl, stop.signal)),
  ];
  await measure(`${EXPORTS} exports`, callers, manager);
  stop.abort();
  const bytes = (await Promise.all(reading)).reduce((sum, one) => sum + one, 0);
  console.log(`${(bytes / 1e6 / ((performance.now() - startedMs) / 1000)).toFixed(1)} MB of CSV a second`);
  for (const caller of callers) caller.close();
});
