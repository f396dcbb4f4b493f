import { performance } from 'node:perf_hooks';
import { ADMIN_KEY } from './system.ts';

/** Fetches a complete answer as JSON or CSV; returns the time in ms and the text. */
export async function fetched(url: string | URL): Promise<{ ms: number; text: string }> {
  const startedAt = performance.now();
  const headers = { authorization: `Bearer ${ADMIN_KEY}`, accept: 'application/json, text/csv' };
  const response = await fetch(url, { headers });
  const text = await response.text();
  if (!response.ok) throw new Error(`${String(url)} answered ${response.status}: ${text.slice(0, 300)}`);
  return { ms: performance.now() - startedAt, text };
}

/** The value that this fraction of the values does not exceed. */
export function percentile(values: number[], fraction: number): number {
  return [...values].sort((a, b) => a - b)[Math.ceil(values.length * fraction) - 1] ?? 0;
}
