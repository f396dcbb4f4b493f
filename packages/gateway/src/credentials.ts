import { hashStationPassword } from '@evander/process';
import type { Log } from '@evander/process';
import { timingSafeEqual } from 'node:crypto';

/** What a gateway must know of a station to let it in. */
export interface Credentials {
  stationId: string;
  securityProfile: number;
  /** Keyed hashes of every form in which the station may send its password; empty when it has none. */
  passwordHashes: string[];
  /** The Basic user name of a station that does not send its id, as it should (ocppj.md AUT.1). */
  userName?: string | null;
}

/** A station nobody knows is `undefined`; a manager that cannot be asked is thrown as ManagerAwayError. */
export type CredentialSource = (stationId: string) => Promise<Credentials | undefined>;

/** No manager could be asked and nothing is remembered. */
export class ManagerAwayError extends Error {
  override name = 'ManagerAwayError';
}

export interface ManagerCredentialsOptions {
  /** Base URLs of managers or of a load balancer before them; the next is asked when one is away. */
  managerUrls: string[];
  gatewayKey: string;
  timeoutMs?: number;
  log: Log;
}

/**
 * Asks a manager at every handshake, so that a new password counts at once, and falls back on what it was told last while none
 * can be asked, so that stations can reconnect while managers restart.
 */
export function credentialsFromManager(options: ManagerCredentialsOptions): CredentialSource {
  const { managerUrls, gatewayKey, timeoutMs = 3000, log } = options;
  const remembered = new Map<string, Credentials>();
  let preferred = 0;

  const ask = async (stationId: string): Promise<Credentials | undefined> => {
    let cause: unknown;
    for (let i = 0; i < managerUrls.length; i++) {
      const index = (preferred + i) % managerUrls.length;
      try {
        const found = await fetchCredentials(managerUrls[index] ?? '', stationId, { gatewayKey, timeoutMs });
        preferred = index;
        return found;
      } catch (error) {
        cause = error;
      }
    }
    throw new ManagerAwayError('no manager can be asked for credentials', { cause });
  };

  return async (stationId) => {
    try {
      const found = await ask(stationId);
      if (found) remembered.set(stationId, found);
      else remembered.delete(stationId);
      return found;
    } catch (error) {
      const last = remembered.get(stationId);
      log.warn(
        { stationId, err: error, remembered: last !== undefined },
        'no manager can be asked for credentials',
      );
      if (!last) throw error;
      return last;
    }
  };
}

/** True when the password is the station's, compared in constant time (ocppj.md AUT.5). */
export function isPassword(password: Buffer, credentials: Credentials, pepper: string): boolean {
  const sent = Buffer.from(hashStationPassword(password, credentials.stationId, pepper));
  let found = false;
  for (const hash of credentials.passwordHashes) {
    const stored = Buffer.from(hash);
    if (stored.length === sent.length && timingSafeEqual(stored, sent)) found = true;
  }
  return found;
}

async function fetchCredentials(
  managerUrl: string,
  stationId: string,
  options: { gatewayKey: string; timeoutMs: number },
): Promise<Credentials | undefined> {
  const url = `${managerUrl.trim().replace(/\/$/, '')}/gateway/stations/${encodeURIComponent(stationId)}`;
  const response = await fetch(url, {
    headers: { authorization: `Bearer ${options.gatewayKey}` },
    signal: AbortSignal.timeout(options.timeoutMs),
  });
  if (response.ok) return (await response.json()) as Credentials;
  await response.body?.cancel();
  if (response.status === 404) return undefined;
  throw new Error(`${managerUrl} answered ${response.status} to a question for credentials`);
}
