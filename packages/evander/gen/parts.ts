import { gatewayProcess } from '@evander/gateway';
import { managerProcess } from '@evander/manager';
import type { SettingTable } from '@evander/process';
import { readFileSync } from 'node:fs';

/** The separately deployed processes and the settings that they read. */
export const PARTS: { part: 'gateway' | 'manager'; settings: SettingTable }[] = [
  { part: 'gateway', settings: gatewayProcess.settings },
  { part: 'manager', settings: managerProcess.settings },
];

/** Reads a file of the repository. */
export function readRepositoryFile(path: string): string {
  return readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
}

/** The first capture group of all matches. */
export function allMatches(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map(([, group = '']) => group);
}
