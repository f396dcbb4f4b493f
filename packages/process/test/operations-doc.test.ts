import { expect, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { SETTINGS } from '../src/index.ts';

test('docs/operations.md tells of every variable as the table has it', async () => {
  const text = await readFile(new URL('../../../docs/operations.md', import.meta.url), 'utf8');
  const rows = text.split('\n').filter((line) => line.startsWith('| `EVANDER_'));
  const cells = rows.map((row) => row.split('|').map((cell) => cell.trim()));
  expect(cells.map(([, variable, fallback, help]) => [variable, fallback, help])).toEqual(
    Object.values(SETTINGS).map(({ variable, kind, default: fallback, help }) => [
      `\`${variable}\``,
      String(fallback ?? ''),
      typeof kind === 'string' ? help : `${help} (${kind.join(', ')})`,
    ]),
  );
});
