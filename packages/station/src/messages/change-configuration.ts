import type { Requests, Responses } from '@evander/ocpp';
import { takeEffect } from '../configuration-effects.ts';
import type { Station } from '../station.ts';

const HEX_KEY = /^([0-9a-f]{2}){16,20}$/i;

/** §5.3: values are checked by type; a new password is used from the next connection on, which comes at once. */
export function changeConfiguration(
  station: Station,
  { key, value }: Requests['ChangeConfiguration'],
): Responses['ChangeConfiguration'] {
  const name = key.toLowerCase();
  if (name === 'authorizationkey' && !HEX_KEY.test(value)) return { status: 'Rejected' };
  if (name === 'heartbeatinterval' && station.quirks.heartbeatStorm && !/^\d+$/.test(value)) {
    station.configuration.set(key, value);
    station.registration.storm();
    return { status: 'Accepted' };
  }
  const status = station.configuration.change(key, value);
  if (status !== 'Accepted') return { status };
  station.afterAnswer(async () => {
    takeEffect(station, name);
    if (name !== 'authorizationkey') return;
    await station.disconnect();
    await station.goOnline();
  });
  return { status };
}
