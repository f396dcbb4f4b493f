import type { Command } from '../../commands/command.ts';

/** Rejected is no fault: the station has no cache (ClearCache.1). Nothing is kept of a cache that stations cannot show. */
export const clearCache: Command<'ClearCache'> = { repeatable: true };
