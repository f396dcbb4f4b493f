import { rm } from 'node:fs/promises';
import type { TestPostgres } from './start-postgres.ts';

export default async function stopPostgres(): Promise<void> {
  const ours = (globalThis as TestPostgres).evanderTestPostgres;
  if (ours === undefined) return;
  await ours.server.stop();
  await rm(ours.dataDir, { recursive: true, force: true });
}
