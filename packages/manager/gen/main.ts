import { readFileSync, writeFileSync } from 'node:fs';
import { writeOcpp16Doc } from './ocpp16-doc.ts';
import { writeOperationsDoc } from './operations-doc.ts';

const DOCS: Record<string, (text: string) => string> = {
  'docs/ocpp16.md': writeOcpp16Doc,
  'docs/operations.md': writeOperationsDoc,
};

const ROOT = new URL('../../../', import.meta.url);

function write(name: string, make: (text: string) => string): void {
  const before = readFileSync(new URL(name, ROOT), 'utf8');
  const text = make(before);
  const isFresh = before === text;
  if (!isFresh && process.argv.includes('--check'))
    throw new Error(`${name} is not fresh; run \`pnpm gen\` and commit the result`);
  if (!isFresh) writeFileSync(new URL(name, ROOT), text);
  console.log(isFresh ? `${name} is fresh` : `written: ${name}`);
}

try {
  for (const [name, make] of Object.entries(DOCS)) write(name, make);
} catch (error) {
  console.error(`gen: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
