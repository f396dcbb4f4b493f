import { Fault, parse } from './kinds.ts';
import type { Setting, Settings, SettingTable } from './setting.ts';

/** One or more variables are invalid; the message names each and how to fix it. */
export class SettingsError extends Error {
  override name = 'SettingsError';
}

/** Reads settings from the environment. Throws SettingsError that lists all invalid and all missing required ones. */
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

/** The value of a setting without a default. Throws SettingsError when it is not set. */
export function requireSetting<V>(one: Setting, value: V | undefined): V {
  if (value === undefined) throw new SettingsError(notSet(one));
  return value;
}

function notSet({ variable, help }: Setting): string {
  return `${variable} is not set: ${help}`;
}

/** Splits a text at commas. */
export function listOf(text = ''): string[] {
  return text
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
}

/** EVANDER_ variables that are not in the table: misspelt, or meant for another process. */
export function unknownVariables(env: NodeJS.ProcessEnv, table: SettingTable): string[] {
  const known = new Set(Object.values(table).map((entry) => entry.variable));
  return Object.keys(env).filter(
    (name) => name.startsWith('EVANDER_') && !known.has(name) && !name.startsWith('EVANDER_TEST_'),
  );
}

/** The table as text for `--help`, one paragraph per variable. */
export function describeSettings(table: SettingTable): string {
  return Object.values(table)
    .map(({ variable, kind, default: fallback, help }) => {
      const choice = typeof kind === 'string' ? '' : ` (${kind.join(' | ')})`;
      const ending = fallback === undefined ? '' : ` [${fallback}]`;
      return `  ${variable}${choice}${ending}\n      ${help}`;
    })
    .join('\n');
}
