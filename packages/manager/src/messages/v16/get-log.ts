import type { Command } from '../../commands/command.ts';

export const getLog: Command<'GetLog'> = {};
