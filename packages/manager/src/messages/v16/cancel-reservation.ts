import type { Command } from '../../commands/command.ts';
import * as reservations from '../../reservations/reservations.store.ts';

export const cancelReservation: Command<'CancelReservation'> = {
  // Rejected: the station has no such reservation any more (CancelReservation.1).
  async onAnswer({ status }, { request }, { db, stationId, now: at }) {
    if (status !== 'Accepted' && status !== 'Rejected') return;
    const { reservationId } = request;
    const state = status === 'Accepted' ? 'cancelled' : 'ended';
    await reservations.end(db, { stationId, reservationId, state, at });
  },
};
