import type { Command } from '../../commands/command.ts';

export const getDiagnostics: Command<'GetDiagnostics'> = {};
