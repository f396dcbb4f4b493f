import { hashStationPassword } from '@evander/process';
import { timingSafeEqual } from 'node:crypto';
import type { ClientCertificate } from './client-certificate.ts';
import { askManagers } from './manager-call.ts';
import type { ManagerCallOptions } from './manager-call.ts';
import { QuestionBatch } from './question-batch.ts';

/** What a gateway needs to authenticate a station. */
export interface Credentials {
  stationId: string;
  securityProfile: number;
  /** Keyed hashes of every form in which the station may send its password; empty when it has none. */
  passwordHashes: string[];
  /** Basic user name of a station that does not send its id as it should (ocppj.md AUT.1). */
  userName?: string | null;
  /** Result for the presented certificate: its fault, or null when it is valid and belongs to the station. */
  certificate?: { fault: string | null };
  /** Used for a station that offers no subprotocol; without it such a station is rejected. */
  assumedSubprotocol?: 'ocpp1.6' | null;
  /** The station sends a Heartbeat at least this often. */
  heartbeatSeconds?: number;
}

/** Managers' answer about several stations, in the order of the question; null for unknown stations. */
interface StationsAnswer {
  stations: (Credentials | null)[];
}

/** Returns undefined for an unknown station. Throws ManagerAwayError when no manager can be asked. */
export type CredentialSource = (
  stationId: string,
  certificate?: ClientCertificate,
) => Promise<Credentials | undefined>;

/** No manager could be reached. */
export class ManagerAwayError extends Error {
  override name = 'ManagerAwayError';
}

/** After this time without an answer the next manager is asked too: a hung manager must not delay handshakes. */
const ASK_NEXT_AFTER_MS = 250;

/**
 * Asks the managers at every handshake, so that a new password or a revoked certificate takes effect immediately. Requests about stations
 * that connect at the same time are batched; each certificate is checked in its own request.
 */
export function credentialsFromManager(options: ManagerCallOptions): CredentialSource {
  const ask = askManagers({ askNextAfterMs: ASK_NEXT_AFTER_MS, ...options });
  const askOne = (stationId: string, body?: object): Promise<Credentials | undefined> =>
    ask(`/gateway/stations/${encodeURIComponent(stationId)}`, body) as Promise<Credentials | undefined>;
  const together = new QuestionBatch(async (stationIds: string[]) => {
    const [only = ''] = stationIds;
    if (stationIds.length === 1) return [await askOne(only)];
    const answer = (await ask('/gateway/stations', { stationIds })) as StationsAnswer | undefined;
    // Managers of the previous version, and adapters to other systems, only answer about one station at a time.
    if (!answer) return Promise.all(stationIds.map((stationId) => askOne(stationId)));
    return answer.stations.map((credentials) => credentials ?? undefined);
  });
  return async (stationId, certificate) => {
    try {
      return await (certificate
        ? askOne(stationId, { certificateChain: certificate.chain })
        : together.about(stationId));
    } catch (cause) {
      throw new ManagerAwayError('no manager answers for credentials', { cause });
    }
  };
}

/** Compares the password with the station's in constant time (ocppj.md AUT.5). */
export function isPassword(password: Buffer, credentials: Credentials, pepper: string): boolean {
  const sent = Buffer.from(hashStationPassword(password, credentials.stationId, pepper));
  let found = false;
  for (const hash of credentials.passwordHashes) {
    const stored = Buffer.from(hash);
    if (stored.length === sent.length && timingSafeEqual(stored, sent)) found = true;
  }
  return found;
}
