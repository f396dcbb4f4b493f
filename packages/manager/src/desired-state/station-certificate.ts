import * as certificateRequests from '../certificates/certificate-requests.store.ts';
import * as configuration from '../configuration/configuration.store.ts';
import { isChangeOf, refusalOf, send } from './desired-state.ts';
import type { DesiredState, ReconciliationContext, Step } from './desired-state.ts';

export interface DesiredCertificate {
  /** What goes into O of the certificate: the station's CpoName. */
  organisation: string;
}

/** How long a station may take from the trigger to its installed certificate. */
const CERTIFICATE_MS = 300_000;

/** A new certificate for a station, the one that it shows at a handshake (ocppj.md §8). */
export const stationCertificate: DesiredState<DesiredCertificate> = {
  async next(desired, context) {
    return (await nextCertificate(desired, context)) ?? { do: 'succeeded' };
  },
};

/** The step that brings a station a new certificate; undefined when one has been installed since the reconciliation was set. */
export async function nextCertificate(
  { organisation }: DesiredCertificate,
  { db, stationId, last, now, requestedAt }: ReconciliationContext,
): Promise<Step | undefined> {
  const asked = await certificateRequests.latest(db, stationId, requestedAt);
  if (asked?.state === 'installed') return undefined;
  if (asked?.state === 'rejected' || asked?.state === 'refused')
    return { do: 'failed', reason: `no certificate for the station: ${asked.reason ?? asked.state}` };
  if (last?.action === 'ExtendedTriggerMessage')
    return (
      refusalOf('ExtendedTriggerMessage', last) ??
      awaited(now.getTime() - (last.completedAt ?? now).getTime(), asked?.reason ?? null)
    );
  // A station that does not know the key, or may not have it changed, still asks for a certificate.
  const hasName = (await configuration.value(db, stationId, 'CpoName')) === organisation;
  if (!hasName && !isChangeOf('CpoName', last))
    return send('ChangeConfiguration', { key: 'CpoName', value: organisation }, 'sends the CpoName');
  const trigger = { requestedMessage: 'SignChargePointCertificate' };
  return send('ExtendedTriggerMessage', trigger, 'asks the station to ask for a certificate');
}

// What has kept a certificate from the station so far is the reason, where something has.
function awaited(sinceMs: number, reason: string | null): Step {
  return sinceMs > CERTIFICATE_MS
    ? {
        do: 'failed',
        reason: reason
          ? `no certificate for the station in time: ${reason}`
          : 'the station has not asked for a certificate, or has not installed it, in time',
      }
    : { do: 'wait', doing: 'waits for the station to ask for its certificate and install it', seconds: 1 };
}
