import type { Command } from '../../commands/command.ts';

export const getLocalListVersion: Command<'GetLocalListVersion'> = {};
