import type { Kind } from './kinds.ts';

/** An environment variable: its kind, default and description. */
export interface Setting<K extends Kind = Kind, D = string | number | undefined> {
  variable: string;
  kind: K;
  default: D;
  help: string;
}

/** Settings by name: each room declares its own, and each process combines those that it reads. */
export type SettingTable = Readonly<Record<string, Setting>>;

type ValueOf<S> =
  S extends Setting<infer K, infer D>
    ? | (K extends 'port' | 'count' | 'days' ? number : K extends readonly (infer Word)[] ? Word : string)
      | (D extends undefined ? undefined : never)
    : never;

/** Values of settings; those in `R` are certainly set. */
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
