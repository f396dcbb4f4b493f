import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { gatewayProcess } from '../packages/gateway/src/index.ts';
import { managerProcess } from '../packages/manager/src/index.ts';
import { SETTINGS } from '../packages/evander/src/index.ts';
import type { SettingTable } from '../packages/process/src/index.ts';

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
const CHART = 'deploy/helm/evander';
const OVERRIDES = ['deploy/compose.scale.yml', 'deploy/compose.ftp.yml'];
const schema = JSON.parse(read(`${CHART}/values.schema.json`)) as {
  properties: Record<string, { properties: { settings: { properties: object } } }>;
};

const TABLES: [string, SettingTable][] = [
  ['gateway', gatewayProcess.settings],
  ['manager', managerProcess.settings],
];
const PARTS = TABLES.map(([part, settings]) => ({
  part,
  variables: Object.values(settings)
    .map(({ variable }) => variable)
    .sort(),
}));

/** The lines of one service, up to the next one. */
function serviceOf(file: string, part: string): string {
  return new RegExp(`^ {2}${part}:\\n((?: {4}.*\\n|\\n)*)`, 'm').exec(read(file))?.[1] ?? '';
}

/** Variables in the `environment` of a service: passed through by name, or with a value. */
function environmentOf(service: string): { named: string[]; valued: string[] } {
  const lines = [...service.matchAll(/^ {6}- (EVANDER_\w+)(=?)/gm)];
  const some = (sign: string) => lines.filter(([, , one]) => one === sign).map(([, name = '']) => name);
  return { named: some(''), valued: some('=') };
}

/** Variables that the service "secrets" writes into a part's file. */
function secretsOf(part: string): string[] {
  const [, text = ''] =
    new RegExp(`put /secrets/${part}/env .*\\n([^]*?)\\nEND`).exec(read('deploy/first-run')) ?? [];
  return [...text.matchAll(/^(EVANDER_\w+)=/gm)].map(([, name = '']) => name);
}

/** Variables that the chart sets for a part: in its Deployment, and those shared by both parts. */
function templateOf(part: string): string[] {
  const text = read(`${CHART}/templates/${part}.yaml`) + sharedEnvOf(part);
  return [...text.matchAll(/name: (EVANDER_\w+)/g)].map(([, name = '']) => name);
}

// The text between `eq .part "gateway"`, `else` and `end` applies to one part only.
function sharedEnvOf(part: string): string {
  const [, text = ''] =
    /define "evander.sharedEnv" -}}\n([^]*?)\n{{- end -}}/.exec(read(`${CHART}/templates/_helpers.tpl`)) ??
    [];
  const own = part === 'gateway' ? '$1' : '$2';
  return text.replace(/{{- if eq .part "gateway" }}([^]*?){{- else }}([^]*?){{- end }}/g, own);
}

test.each(PARTS)(
  'docker-compose.yml passes the $part every variable that it reads, and no other',
  ({ part, variables }) => {
    const { named, valued } = environmentOf(serviceOf('docker-compose.yml', part));
    expect(named.filter((name) => valued.includes(name))).toEqual([]);
    expect([...new Set([...named, ...valued, ...secretsOf(part)])].sort()).toEqual(variables);
  },
);

test.each(PARTS)(
  'overrides of docker-compose.yml set only variables that the $part reads',
  ({ part, variables }) => {
    const given = OVERRIDES.flatMap((file) => {
      const { named, valued } = environmentOf(serviceOf(file, part));
      return [...named, ...valued];
    });
    expect(given.filter((name) => !variables.includes(name))).toEqual([]);
  },
);

test.each(PARTS)(
  'the chart sets every variable of the $part in one place, and no other',
  ({ part, variables }) => {
    const inTemplate = templateOf(part);
    const inValues = Object.keys(schema.properties[part]?.properties.settings.properties ?? {});
    expect(inValues.filter((name) => inTemplate.includes(name))).toEqual([]);
    expect([...new Set([...inTemplate, ...inValues])].sort()).toEqual(variables);
  },
);

test('docs/operations.md lists every variable of Evander, and those that only Compose reads', () => {
  const text = read('docs/operations.md');
  const interpolated = ['docker-compose.yml', ...OVERRIDES].flatMap((file) =>
    [...read(file).matchAll(/\$\{(\w+)/g)].map(([, name = '']) => name),
  );
  const variables = [...Object.values(SETTINGS).map(({ variable }) => variable), ...interpolated];
  expect(variables.filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
});
