import { readFileSync, writeFileSync } from 'node:fs';
import { readSchemas } from './read-schemas.ts';
import { SCHEMA_SETS } from './schema-sets.ts';
import { writePayloads } from './write-payloads.ts';
import { writeSchemas } from './write-schemas.ts';

const ROOT = new URL('../../../', import.meta.url);

/** The expected content of each generated file, by its path from the root. */
async function generate(): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const set of SCHEMA_SETS) {
    const pairs = readSchemas(new URL(`schemas/${set.folder}/`, ROOT), set);
    const place = `packages/ocpp/src/${set.prefix}`;
    files.set(`${place}payloads.gen.ts`, await writePayloads(pairs, set.folder));
    files.set(`${place}schemas.gen.ts`, writeSchemas(pairs, set));
  }
  return files;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(new URL(path, ROOT), 'utf8');
  } catch {
    return undefined;
  }
}

try {
  const files = await generate();
  const stale = [...files.keys()].filter((path) => read(path) !== files.get(path));
  if (process.argv.includes('--check')) {
    if (stale.length > 0)
      throw new Error(`out of date: ${stale.join(', ')}; run \`pnpm gen\` and commit the result`);
  } else {
    for (const path of stale) writeFileSync(new URL(path, ROOT), files.get(path) ?? '');
  }
  console.log(stale.length > 0 ? `written: ${stale.join(', ')}` : 'generated files are up to date');
} catch (error) {
  console.error(`gen: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
