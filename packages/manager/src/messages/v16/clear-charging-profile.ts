import type { Command } from '../../commands/command.ts';

export const clearChargingProfile: Command<'ClearChargingProfile'> = {};
