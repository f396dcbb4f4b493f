import { readFileSync, writeFileSync } from 'node:fs';

const ROOT = new URL('../../../', import.meta.url);

/** Makes parts of a file again: its text, as it is and as it shall be. */
export type Writer = (text: string) => string | Promise<string>;

/** Brings each file up to date; with `--check` says which one is not, and ends with 1. Paths are those in the repository. */
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
    throw new Error(`${path} is not fresh; run \`pnpm gen\` and commit the result`);
  if (!isFresh) writeFileSync(new URL(path, ROOT), text);
  console.log(isFresh ? `${path} is fresh` : `written: ${path}`);
}
