import type { Requests, Responses } from '@evander/ocpp';
import type { CommandedStation } from './commanded-station.ts';
import { requireProfile } from './feature-profiles.ts';

/** §5.13: reserves a connector for a tag or its group. */
export function reserveNow(
  station: Pick<CommandedStation, 'configuration' | 'reservations'>,
  request: Requests['ReserveNow'],
): Responses['ReserveNow'] {
  requireProfile(station, 'Reservation');
  return { status: station.reservations.reserve(request) };
}
