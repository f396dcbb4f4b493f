import type { Command } from '../../commands/command.ts';

export const getConfiguration: Command<'GetConfiguration'> = {};
