import type { Command } from '../../commands/command.ts';

export const getInstalledCertificateIds: Command<'GetInstalledCertificateIds'> = {};
