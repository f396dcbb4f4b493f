import { OcppError } from '@evander/ocpp';
import type { Profile } from '@evander/ocpp';
import type { StationContext } from '../context/station-context.ts';

/** Throws the CALLERROR of a station that lacks a feature profile (errata §3.38). */
export function requireProfile(
  { configuration }: Pick<StationContext, 'configuration'>,
  profile: Profile,
): void {
  if (!configuration.has(profile))
    throw new OcppError('NotSupported', `this station does not offer ${profile}`);
}
