import * as certificateRequests from '../certificates/certificate-requests.store.ts';
import * as configuration from '../configuration/configuration.store.ts';
import { isChangeOf, refusalOf, send } from './desired-state.ts';
import type { DesiredState, ReconciliationContext, Step } from './desired-state.ts';

export interface DesiredCertificate {
  /** The O of the certificate, which is also the station's CpoName. */
  organisation: string;
}

/** Maximum time from the trigger until the certificate is installed. */
const CERTIFICATE_MS = 300_000;

/** A new client certificate for a station (ocppj.md §8). */
export const stationCertificate: DesiredState<DesiredCertificate> = {
  async next(desired, context) {
    return (await nextCertificate(desired, context)) ?? { do: 'succeeded' };
  },
};

/** The next step to install a new certificate; undefined if one was installed since the reconciliation was set. */
export async function nextCertificate(
  { organisation }: DesiredCertificate,
  { db, stationId, last, now, requestedAt }: ReconciliationContext,
): Promise<Step | undefined> {
  const latest = await certificateRequests.latest(db, stationId, requestedAt);
  if (latest?.state === 'installed') return undefined;
  if (latest?.state === 'rejected' || latest?.state === 'refused')
    return { do: 'failed', reason: `no certificate for the station: ${latest.reason ?? latest.state}` };
  if (last?.action === 'ExtendedTriggerMessage')
    return (
      refusalOf('ExtendedTriggerMessage', last) ??
      awaited(now.getTime() - (last.completedAt ?? now).getTime(), latest?.reason ?? null)
    );
  // Even a station that refuses CpoName can request a certificate.
  const hasName = (await configuration.value(db, stationId, 'CpoName')) === organisation;
  if (!hasName && !isChangeOf('CpoName', last))
    return send('ChangeConfiguration', { key: 'CpoName', value: organisation }, 'sends the CpoName');
  const trigger = { requestedMessage: 'SignChargePointCertificate' };
  return send('ExtendedTriggerMessage', trigger, 'triggers the station to request a certificate');
}

// After the timeout, the reason is what has prevented signing, if known.
function awaited(sinceMs: number, reason: string | null): Step {
  return sinceMs > CERTIFICATE_MS
    ? {
        do: 'failed',
        reason: reason
          ? `no certificate for the station in time: ${reason}`
          : 'the station did not request a certificate, or did not install it, in time',
      }
    : { do: 'wait', doing: 'waits for the station to request its certificate and install it', seconds: 1 };
}
