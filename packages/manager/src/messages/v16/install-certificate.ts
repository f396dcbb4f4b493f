import type { Command } from '../../commands/command.ts';

export const installCertificate: Command<'InstallCertificate'> = {};
