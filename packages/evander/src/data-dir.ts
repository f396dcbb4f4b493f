import { OperationalError } from '@evander/process';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

/** Makes the data directory where it is not there yet; gives its absolute path. */
export async function prepareDataDir(dataDir: string): Promise<string> {
  const path = resolve(dataDir);
  await mkdir(path, { recursive: true });
  return path;
}

/** A random text that is made once and kept in a file that only its owner can read. */
export async function keptSecret(dataDir: string, file: string, prefix = ''): Promise<string> {
  const path = join(dataDir, file);
  const secret = `${prefix}${randomBytes(32).toString('base64url')}`;
  try {
    await writeFile(path, `${secret}\n`, { mode: 0o600, flag: 'wx' });
    return secret;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const kept = (await readFile(path, 'utf8')).trim();
  if (kept.length < 32)
    throw new OperationalError(
      `${path} is damaged: it must hold at least 32 characters; delete it to get a new one`,
    );
  return kept;
}
