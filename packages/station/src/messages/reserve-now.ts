import type { Requests, Responses } from '@evander/ocpp';
import { requireProfile } from '../feature-profiles.ts';
import type { Station } from '../station.ts';

/** §5.13: a connector is held for a tag or its group. */
export function reserveNow(station: Station, request: Requests['ReserveNow']): Responses['ReserveNow'] {
  requireProfile(station, 'Reservation');
  return { status: station.reservations.reserve(request) };
}
