import type { Command } from '../../commands/command.ts';

export const setChargingProfile: Command<'SetChargingProfile'> = {};
