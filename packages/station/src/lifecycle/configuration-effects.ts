import type { StationContext } from '../context/station-context.ts';
import type { Security } from '../security/security.ts';
import type { Registration } from './registration.ts';

/** What new values of configuration keys act upon. */
export type ConfigurationEffectsContext = StationContext & {
  readonly registration: Pick<Registration, 'isAccepted' | 'setHeartbeat'>;
  readonly security: Pick<Security, 'password' | 'passwordOf' | 'use'>;
  /** WebSocket pings from now on; none for 0. */
  setPingInterval(seconds: number): void;
};

/** What a new value of a key does, beyond being there. */
export function takeEffect(station: ConfigurationEffectsContext, key: string): void {
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
