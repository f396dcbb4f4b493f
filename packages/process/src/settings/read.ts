import { Fault, parse } from './kinds.ts';
import type { Setting, Settings, SettingTable } from './setting.ts';

/** One or more variables hold what they must not; the message names each with its cure. */
export class SettingsError extends Error {
  override name = 'SettingsError';
}

/** Reads settings from the environment. Throws SettingsError that lists every bad one, and every required one that is not set. */
export function readSettings<T extends SettingTable, R extends keyof T = never>(
  env: NodeJS.ProcessEnv,
  table: T,
  required: readonly R[] = [],
): Settings<T, R> {
  const faults: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, one] of Object.entries(table)) {
    const text = env[one.variable];
    if (text === undefined || text === '') {
      if ((required as readonly PropertyKey[]).includes(name)) faults.push(notSet(one));
      values[name] = one.default;
      continue;
    }
    const value = parse(one.kind, text);
    if (value instanceof Fault) faults.push(`${one.variable} ${value.text}`);
    else values[name] = value;
  }
  if (faults.length > 0) throw new SettingsError(faults.join('\n'));
  return values as Settings<T, R>;
}

/** The value of a setting that has no default. Throws SettingsError when it is not set. */
export function requireSetting<V>(one: Setting, value: V | undefined): V {
  if (value === undefined) throw new SettingsError(notSet(one));
  return value;
}

function notSet({ variable, help }: Setting): string {
  return `${variable} is not set: ${help}`;
}

/** The parts of a text that are separated by commas. */
export function listOf(text = ''): string[] {
  return text
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
}

/** Variables that begin like ours but are not in the table: a slip of the pen, or meant for another process. */
export function unknownVariables(env: NodeJS.ProcessEnv, table: SettingTable): string[] {
  const known = new Set(Object.values(table).map((entry) => entry.variable));
  return Object.keys(env).filter(
    (name) => name.startsWith('EVANDER_') && !known.has(name) && !name.startsWith('EVANDER_TEST_'),
  );
}

/** The table as text for `--help`, a variable a paragraph. */
export function describeSettings(table: SettingTable): string {
  return Object.values(table)
    .map(({ variable, kind, default: fallback, help }) => {
      const choice = typeof kind === 'string' ? '' : ` (${kind.join(' | ')})`;
      const ending = fallback === undefined ? '' : ` [${fallback}]`;
      return `  ${variable}${choice}${ending}\n      ${help}`;
    })
    .join('\n');
}
