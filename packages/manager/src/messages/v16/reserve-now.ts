import type { Command } from '../../commands/command.ts';

export const reserveNow: Command<'ReserveNow'> = {};
