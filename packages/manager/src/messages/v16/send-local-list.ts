import type { Command } from '../../commands/command.ts';

export const sendLocalList: Command<'SendLocalList'> = {};
