import type { Command } from '../../commands/command.ts';

export const signedUpdateFirmware: Command<'SignedUpdateFirmware'> = {};
