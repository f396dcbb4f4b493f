import type { Command } from '../../commands/command.ts';

export const certificateSigned: Command<'CertificateSigned'> = {};
