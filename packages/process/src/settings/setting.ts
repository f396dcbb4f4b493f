import type { Kind } from './kinds.ts';

/** An environment variable that is read: its form, its value where it is not set, and what it does. */
export interface Setting<K extends Kind = Kind, D = string | number | undefined> {
  variable: string;
  kind: K;
  default: D;
  help: string;
}

/** Settings by their names: each room declares its own, and each process puts together those that it reads. */
export type SettingTable = Readonly<Record<string, Setting>>;

type ValueOf<S> =
  S extends Setting<infer K, infer D>
    ? | (K extends 'port' | 'count' | 'days' ? number : K extends readonly (infer Word)[] ? Word : string)
      | (D extends undefined ? undefined : never)
    : never;

/** Values of settings; `R` are those of them that are certainly set. */
export type Settings<T extends SettingTable, R extends keyof T = never> = {
  -readonly [N in keyof T]: N extends R ? NonNullable<ValueOf<T[N]>> : ValueOf<T[N]>;
};

export function setting<const K extends Kind, const D extends string | number | undefined>(
  variable: string,
  kind: K,
  fallback: D,
  help: string,
): Setting<K, D> {
  return { variable, kind, default: fallback, help };
}
