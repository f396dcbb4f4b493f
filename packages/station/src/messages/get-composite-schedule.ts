import type { Requests, Responses } from '@evander/ocpp';
import { requireProfile } from '../feature-profiles.ts';
import type { Station } from '../station.ts';

/** §5.7: what the installed profiles come to. */
export function getCompositeSchedule(
  station: Station,
  request: Requests['GetCompositeSchedule'],
): Responses['GetCompositeSchedule'] {
  requireProfile(station, 'SmartCharging');
  return station.chargingProfiles.composite(request);
}
