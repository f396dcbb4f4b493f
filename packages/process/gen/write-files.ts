import { readFileSync, writeFileSync } from 'node:fs';

const ROOT = new URL('../../../', import.meta.url);

/** Regenerates parts of a file: takes its current text and returns the new one. */
export type Writer = (text: string) => string | Promise<string>;

/** Updates each file. With `--check` it only reports the first stale file and exits with 1. Paths are relative to the repository. */
export async function writeFiles(writers: Record<string, Writer>): Promise<void> {
  try {
    for (const [path, make] of Object.entries(writers)) await write(path, make);
  } catch (error) {
    console.error(`gen: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}

async function write(path: string, make: Writer): Promise<void> {
  const before = readFileSync(new URL(path, ROOT), 'utf8');
  const text = await make(before);
  const isFresh = before === text;
  if (!isFresh && process.argv.includes('--check'))
    throw new Error(`${path} is out of date; run \`pnpm gen\` and commit the result`);
  if (!isFresh) writeFileSync(new URL(path, ROOT), text);
  console.log(isFresh ? `${path} is up to date` : `written: ${path}`);
}
