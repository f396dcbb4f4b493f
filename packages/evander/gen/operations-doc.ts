import { SETTINGS } from '@evander/evander';

const BEGIN = '<!-- The variables, made by `pnpm gen`. -->\n<!-- prettier-ignore-start -->\n';
const END = '\n<!-- prettier-ignore-end -->';

/** Updates the table of all variables in docs/operations.md. Throws if its markers are missing. */
export function writeOperationsDoc(text: string): string {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END, begin);
  if (begin < 0 || end < 0)
    throw new Error('docs/operations.md has no markers around its table of variables');
  return text.slice(0, begin + BEGIN.length) + table() + text.slice(end);
}

function table(): string {
  const rows = Object.values(SETTINGS).map(({ variable, kind, default: fallback, help }) => {
    const choice = typeof kind === 'string' ? '' : ` (${kind.join(', ')})`;
    return `| \`${variable}\` | ${fallback ?? ''} | ${help}${choice} |`;
  });
  return ['| variable | default | what it does |', '| --- | --- | --- |', ...rows].join('\n');
}
