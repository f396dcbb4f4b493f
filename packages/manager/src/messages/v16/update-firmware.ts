import type { Command } from '../../commands/command.ts';

export const updateFirmware: Command<'UpdateFirmware'> = {};
