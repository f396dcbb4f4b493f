import type { Database } from '../database/database.ts';
import * as fileLinks from './file-links.store.ts';
import * as files from './files.store.ts';
import type { FileOptions } from './files.ts';

/** No upload takes this long; older incomplete ones were left by a manager that died. */
const UNFINISHED_MS = 86_400_000;

/** Removes expired links, old uploads and uploads that were never completed. */
export async function cleanUpFiles(
  database: Database,
  { keepUploadsMs }: Pick<FileOptions, 'keepUploadsMs'>,
  now: Date,
): Promise<void> {
  const ago = (ms: number): Date => new Date(now.getTime() - ms);
  await fileLinks.removeExpired(database, now);
  await files.removeUploads(database, ago(keepUploadsMs));
  await files.removeUnfinished(database, ago(UNFINISHED_MS));
}
