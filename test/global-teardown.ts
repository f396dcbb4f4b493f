import { rm } from 'node:fs/promises';
import type { TestPostgres } from './global-setup.ts';

export default async function tearDown(): Promise<void> {
  const ours = (globalThis as TestPostgres).evanderTestPostgres;
  if (ours === undefined) return;
  await ours.server.stop();
  await rm(ours.dataDir, { recursive: true, force: true });
}
