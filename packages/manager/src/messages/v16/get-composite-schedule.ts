import type { Command } from '../../commands/command.ts';

export const getCompositeSchedule: Command<'GetCompositeSchedule'> = {};
