import { setting } from '@evander/process';

/** The variables of stations. */
export const STATION_SETTINGS = {
  unknownStations: setting(
    'EVANDER_UNKNOWN_STATIONS',
    ['accept', 'reject'],
    undefined,
    'Whether to accept, without a password, stations that nobody has added; if unset, `start` on a loopback address accepts them, everything else rejects them',
  ),
};
