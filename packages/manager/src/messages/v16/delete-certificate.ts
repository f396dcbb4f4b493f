import type { Command } from '../../commands/command.ts';

export const deleteCertificate: Command<'DeleteCertificate'> = {};
