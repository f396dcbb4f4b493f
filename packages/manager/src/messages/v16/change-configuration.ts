import type { Command } from '../../commands/command.ts';

export const changeConfiguration: Command<'ChangeConfiguration'> = {};
