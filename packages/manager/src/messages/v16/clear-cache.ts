import type { Command } from '../../commands/command.ts';

/** Rejected is not a fault: the station has no cache (ClearCache.1). Nothing is stored, as the contents of caches are unknown. */
export const clearCache: Command<'ClearCache'> = { repeatable: true };
