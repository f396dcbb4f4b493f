import type { Requests, Responses } from '@evander/ocpp';
import { requireProfile } from '../feature-profiles.ts';
import type { CommandedStation } from './commanded-station.ts';

/** §5.1: rejected when there is no such reservation. */
export function cancelReservation(
  station: Pick<CommandedStation, 'configuration' | 'reservations' | 'afterAnswer'>,
  { reservationId }: Requests['CancelReservation'],
): Responses['CancelReservation'] {
  requireProfile(station, 'Reservation');
  const isHeld = station.reservations.held.some((one) => one.reservationId === reservationId);
  if (isHeld) station.afterAnswer(() => station.reservations.end(reservationId));
  return { status: isHeld ? 'Accepted' : 'Rejected' };
}
