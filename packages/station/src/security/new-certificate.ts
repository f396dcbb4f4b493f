import { reconnect } from '../connection/reconnect.ts';
import type { AnswerHooks, Connectivity, StationContext } from '../context/station-context.ts';
import type { Security } from './security.ts';

/** Parts of the station that a new certificate affects. */
export type NewCertificateContext = StationContext &
  Connectivity &
  AnswerHooks & { readonly security: Pick<Security, 'profile'> };

/** Reconnects if the old certificate is in use. */
export function useNewCertificate(station: NewCertificateContext): void {
  const { quirks, security, options } = station;
  if (quirks.dropAfterCertificateSigned) return station.afterAnswer(() => station.drop());
  const { reconnectWithNewCertificate = true } = options.security ?? {};
  if (security.profile === 3 && reconnectWithNewCertificate) station.afterAnswer(() => reconnect(station));
}
