import { rm } from 'node:fs/promises';
import type { TestPostgres } from './global-setup.ts';

export default async function tearDown(): Promise<void> {
  const postgres = (globalThis as TestPostgres).evanderTestPostgres;
  if (postgres === undefined) return;
  await postgres.server.stop();
  await rm(postgres.dataDir, { recursive: true, force: true });
}
