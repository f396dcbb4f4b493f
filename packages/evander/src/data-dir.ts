import { OperationalError } from '@evander/process';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

/** Creates the data directory if it is missing; returns its absolute path. */
export async function prepareDataDir(dataDir: string): Promise<string> {
  const path = resolve(dataDir);
  await mkdir(path, { recursive: true });
  return path;
}

/** Returns a random secret that is generated once and stored in a file that only its owner can read. */
export async function storedSecret(dataDir: string, file: string, prefix = ''): Promise<string> {
  const path = join(dataDir, file);
  const secret = `${prefix}${randomBytes(32).toString('base64url')}`;
  try {
    await writeFile(path, `${secret}\n`, { mode: 0o600, flag: 'wx' });
    return secret;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const stored = (await readFile(path, 'utf8')).trim();
  if (stored.length < 32)
    throw new OperationalError(
      `${path} is damaged: it must hold at least 32 characters; delete it to get a new one`,
    );
  return stored;
}
