import type { Requests, Responses } from '@evander/ocpp';
import { requireProfile } from '../feature-profiles.ts';
import type { Station } from '../station.ts';

/** §5.1: rejected when there is no such reservation. */
export function cancelReservation(
  station: Station,
  { reservationId }: Requests['CancelReservation'],
): Responses['CancelReservation'] {
  requireProfile(station, 'Reservation');
  const isHeld = station.reservations.held.some((one) => one.reservationId === reservationId);
  if (isHeld) station.afterAnswer(() => station.reservations.end(reservationId));
  return { status: isHeld ? 'Accepted' : 'Rejected' };
}
