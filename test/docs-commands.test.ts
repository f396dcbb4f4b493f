import { expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { PAGES, read } from './docs-pages.ts';

const SHELL_FENCE = /^(?<indent> *)```(?:sh|bash|shell|console)\n(?<commands>[^]*?)^\k<indent>```$/gm;
/** Commands within a sentence: start with a program and have arguments. */
const INLINE =
  /`(?<commands>(?:curl|npx|pnpm|node|docker|kubectl|helm|systemctl|openssl|evander|sh|psql) [^`\n]+)`/g;

/** The shell commands of a page. */
function commandsOf(page: string): string[] {
  const text = read(page);
  const found = [...text.matchAll(SHELL_FENCE), ...text.matchAll(INLINE)];
  return found.map(({ groups }) => groups?.commands ?? '');
}

/** Without quoted, escaped and commented text, where < and > are literal. */
function unquoted(command: string): string {
  return command
    .replace(/\\./g, '')
    .replace(/'[^']*'/g, "''")
    .replace(/"[^"]*"/g, '""')
    .replace(/(?<!\S)#.*/g, '');
}

const pages = PAGES.filter((page) => commandsOf(page).length > 0);

test('there are pages with commands', () => {
  expect(pages).toEqual(expect.arrayContaining(['README.md', 'docs/install.md', 'docs/operations.md']));
});

test.each(pages)(
  'the commands in %s can be typed: the shell parses all of them, and no placeholder is a redirection',
  (page) => {
    for (const command of commandsOf(page)) {
      expect({ command, placeholder: /<[\w…][^<>\n]*>/u.exec(unquoted(command))?.[0] }).toEqual({ command });
      const { status, stderr } = spawnSync('bash', ['-n'], { input: command, encoding: 'utf8' });
      expect({ command, status, stderr }).toEqual({ command, status: 0, stderr: '' });
    }
  },
);
