import * as stations from '../stations/stations.store.ts';
import { newAuthorizationKey } from './authorization-key.ts';
import { isChangeOf, refusalOf, send } from './desired-state.ts';
import type { DesiredState, ReconciliationContext, Step } from './desired-state.ts';
import { nextRoot } from './root-certificates.ts';
import { nextCertificate } from './station-certificate.ts';

export interface DesiredProfile {
  securityProfile: number;
  /** Whether to reset the station after it accepts, so that it reconnects immediately with the new profile. */
  reset: boolean;
  /** The root to install for verifying the CSMS, PEM; null: none. */
  rootCertificate: string | null;
  /** The O of the station's certificate. */
  organisation: string;
}

/** Maximum time until a station reconnects after its change of profile. */
const RETURN_MS = 900_000;

/**
 * Raises a station's security profile (ocppj.md §8): installs what the new profile needs, then changes SecurityProfile. Both profiles are
 * accepted until the station has connected with the new one; if it never does, the old one stays.
 */
export const securityProfile: DesiredState<DesiredProfile> = {
  async next(desired, context) {
    const station = await stations.credentials(context.db, context.stationId);
    if (!station) return { do: 'failed', reason: 'the station no longer exists' };
    if (station.securityProfile >= desired.securityProfile) return { do: 'succeeded' };
    const step =
      (await password(desired, context, station)) ??
      (await root(desired, context)) ??
      (desired.securityProfile === 3 ? await nextCertificate(desired, context) : undefined);
    return step ?? change(desired, context);
  },
};

async function password(
  { securityProfile: target }: DesiredProfile,
  { last }: ReconciliationContext,
  station: stations.StationCredentials,
): Promise<Step | undefined> {
  if (target === 3 || station.passwordHashes.length > 0) return undefined;
  const request = newAuthorizationKey();
  return (
    refusalOf('ChangeConfiguration', last) ??
    send('ChangeConfiguration', request, 'sends an AuthorizationKey')
  );
}

async function root(
  { securityProfile: target, rootCertificate }: DesiredProfile,
  context: ReconciliationContext,
): Promise<Step | undefined> {
  if (target < 2 || rootCertificate === null) return undefined;
  return nextRoot({ certificateType: 'CentralSystemRootCertificate', certificate: rootCertificate }, context);
}

function change(
  { securityProfile: target, reset }: DesiredProfile,
  { last, now }: ReconciliationContext,
): Step {
  if (last?.action === 'Reset') {
    const sinceMs = now.getTime() - (last.completedAt ?? now).getTime();
    return refusalOf('Reset', last) ?? awaited(target, sinceMs);
  }
  if (!isChangeOf('SecurityProfile', last))
    return send(
      'ChangeConfiguration',
      { key: 'SecurityProfile', value: String(target) },
      'changes SecurityProfile',
    );
  const refusal = refusalOf('ChangeConfiguration', last);
  if (refusal) return refusal;
  if (reset) return send('Reset', { type: 'Hard' }, 'resets the station');
  return awaited(target, now.getTime() - (last?.completedAt ?? now).getTime());
}

function awaited(target: number, sinceMs: number): Step {
  return sinceMs > RETURN_MS
    ? {
        do: 'failed',
        reason: `the station has not connected with security profile ${target}; the previous one stays valid`,
      }
    : { do: 'wait', doing: `waits for the station to connect with security profile ${target}`, seconds: 1 };
}
