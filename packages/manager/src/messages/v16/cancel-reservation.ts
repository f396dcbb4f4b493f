import type { Command } from '../../commands/command.ts';

export const cancelReservation: Command<'CancelReservation'> = {};
