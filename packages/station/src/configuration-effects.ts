import type { Station } from './station.ts';

/** What a new value of a key does, beyond being there. */
export function takeEffect(station: Station, key: string): void {
  const { configuration, registration, quirks, security, options } = station;
  const { value = '' } = configuration.find(key) ?? {};
  switch (key.toLowerCase()) {
    case 'authorizationkey':
      security.password = security.passwordOf(value);
      return;
    case 'securityprofile':
      return options.security?.upgrade === 'afterReset' ? undefined : security.use(Number(value));
    case 'heartbeatinterval':
      return registration.isAccepted ? registration.setHeartbeat(Number(value)) : undefined;
    case 'websocketpinginterval':
      return station.setPingInterval(quirks.pingEverySeconds ?? Number(value));
  }
}
