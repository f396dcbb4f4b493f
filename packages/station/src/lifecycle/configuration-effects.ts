import type { StationContext } from '../context/station-context.ts';
import type { Security } from '../security/security.ts';
import type { Registration } from './registration.ts';

/** Parts of the station that new configuration values affect. */
export type ConfigurationEffectsContext = StationContext & {
  readonly registration: Pick<Registration, 'isAccepted' | 'setHeartbeat'>;
  readonly security: Pick<Security, 'password' | 'passwordOf' | 'use'>;
  /** Sets the interval of WebSocket pings; 0 for none. */
  setPingInterval(seconds: number): void;
};

/** Applies the effects of a key's new value. */
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
