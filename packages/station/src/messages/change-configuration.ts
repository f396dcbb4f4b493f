import type { Requests, Responses } from '@evander/ocpp';
import type { Station } from '../station.ts';

const HEX_KEY = /^([0-9a-f]{2}){16,20}$/i;

/** §5.3: values are checked by type; a new password is used from the next connection on, which comes at once. */
export function changeConfiguration(
  station: Station,
  { key, value }: Requests['ChangeConfiguration'],
): Responses['ChangeConfiguration'] {
  const name = key.toLowerCase();
  if (name === 'authorizationkey' && !HEX_KEY.test(value)) return { status: 'Rejected' };
  const status = station.configuration.change(key, value);
  if (status !== 'Accepted') return { status };
  if (name === 'authorizationkey') station.afterAnswer(() => usePassword(station, Buffer.from(value, 'hex')));
  if (name === 'heartbeatinterval' && station.registration.isAccepted) {
    station.registration.setHeartbeat(Number(value));
  }
  return { status };
}

async function usePassword(station: Station, password: Buffer): Promise<void> {
  station.setPassword(password);
  await station.disconnect();
  await station.goOnline();
}
