import type { Station } from './station.ts';

/** What a new value of a key does, beyond being there. */
export function takeEffect(station: Station, key: string): void {
  const { configuration, registration, quirks } = station;
  const { value = '' } = configuration.find(key) ?? {};
  switch (key.toLowerCase()) {
    case 'authorizationkey':
      return station.setPassword(quirks.hexTextAsPassword ? value : Buffer.from(value, 'hex'));
    case 'heartbeatinterval':
      return registration.isAccepted ? registration.setHeartbeat(Number(value)) : undefined;
    case 'websocketpinginterval':
      return station.setPingInterval(quirks.pingEverySeconds ?? Number(value));
  }
}
