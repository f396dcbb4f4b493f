import { readFileSync, writeFileSync } from 'node:fs';
import { writeOcpp16Doc } from './ocpp16-doc.ts';

const FILE = new URL('../../../docs/ocpp16.md', import.meta.url);

function read(): string {
  try {
    return readFileSync(FILE, 'utf8');
  } catch {
    return '';
  }
}

try {
  const text = writeOcpp16Doc();
  const isFresh = read() === text;
  if (!isFresh && process.argv.includes('--check'))
    throw new Error('docs/ocpp16.md is not fresh; run `pnpm gen` and commit the result');
  if (!isFresh) writeFileSync(FILE, text);
  console.log(isFresh ? 'docs/ocpp16.md is fresh' : 'written: docs/ocpp16.md');
} catch (error) {
  console.error(`gen: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
