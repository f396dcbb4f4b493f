import { expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { PAGES, read, ROOT } from './docs-pages.ts';

/** A link or a picture of Markdown, with its target up to a title. */
const LINK = /\]\(<?([^)>\s]+)>?(?:\s+"[^"]*")?\)/g;
const LONGEST_LINE = 120;
const LONGEST_CELL = 300;
/** Made by `pnpm gen`, or records of a decision at its time. */
const AS_THEY_ARE = [/^docs\/ocpp16\.md$/, /^docs\/decisions\//];

/** Without code, in which brackets and lines mean something else. */
function proseOf(page: string): string {
  return read(page).replace(/^( *)```[^]*?^\1```$/gm, '');
}

/** The anchors that GitHub makes for a page's headings. */
function anchorsOf(page: string): string[] {
  return [...proseOf(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .trim()
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** What is wrong with a link of a page; undefined when it leads somewhere, or away from this repository. */
function faultOf(page: string, link: string): string | undefined {
  if (/^[a-z]+:/i.test(link)) return undefined;
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? page : posix.join(dirname(page), path);
  if (!existsSync(join(ROOT, target))) return `${link}: there is no ${target}`;
  if (anchor === undefined || statSync(join(ROOT, target)).isDirectory()) return undefined;
  return anchorsOf(target).includes(anchor) ? undefined : `${link}: ${target} has no heading for it`;
}

test.each(PAGES)('the links in %s lead somewhere', (page) => {
  const links = [...proseOf(page).matchAll(LINK)].map(([, link = '']) => link);
  expect(links.map((link) => faultOf(page, link)).filter((fault) => fault !== undefined)).toEqual([]);
});

test.each(PAGES.filter((page) => !AS_THEY_ARE.some((generated) => generated.test(page))))(
  '%s has no line and no table cell that is too long to read',
  (page) => {
    const lines = proseOf(page)
      .replace(/^<!-- The variables[^]*?^<!-- prettier-ignore-end -->$/m, '')
      .split('\n');
    const isTable = (line: string): boolean => line.startsWith('|');
    const cells = lines.filter(isTable).flatMap((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim()));
    expect(lines.filter((line) => !isTable(line) && line.length > LONGEST_LINE)).toEqual([]);
    expect(cells.filter((cell) => cell.length > LONGEST_CELL)).toEqual([]);
  },
);

test('the index names every page in docs/', () => {
  const pages = PAGES.filter((page) => /^docs\/[^/]+\.md$/.test(page) && page !== 'docs/README.md');
  const index = read('docs/README.md');
  expect(pages.filter((page) => !index.includes(`](${posix.basename(page)})`))).toEqual([]);
});

test('troubleshooting names every reason for which a gateway rejects a connection', () => {
  const gateway = execFileSync('git', ['ls-files', 'packages/gateway/src'], { cwd: ROOT, encoding: 'utf8' });
  const sources = gateway.trim().split('\n').map(read).join('\n');
  // The part before a value, of a text that is given together with its status.
  const reasons = [...sources.matchAll(/new \w+\(\s*[45]\d\d,\s*(['`])(.+?)(?=\1[,)]|\$\{)/g)].map(
    ([, , reason = '']) => reason.trim(),
  );
  expect(reasons.length).toBeGreaterThan(10);
  const page = read('docs/troubleshooting.md');
  expect(reasons.filter((reason) => !page.includes(reason))).toEqual([]);
});
