import type { Requests, Responses } from '@evander/ocpp';
import type { CommandedStation } from './commanded-station.ts';
import { requireProfile } from './feature-profiles.ts';

/** §5.1: rejected if there is no such reservation. */
export function cancelReservation(
  station: Pick<CommandedStation, 'configuration' | 'reservations' | 'afterAnswer'>,
  { reservationId }: Requests['CancelReservation'],
): Responses['CancelReservation'] {
  requireProfile(station, 'Reservation');
  const isHeld = station.reservations.held.some((one) => one.reservationId === reservationId);
  if (isHeld) station.afterAnswer(() => station.reservations.end(reservationId));
  return { status: isHeld ? 'Accepted' : 'Rejected' };
}
