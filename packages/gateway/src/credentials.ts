import { hashStationPassword } from '@evander/process';
import { timingSafeEqual } from 'node:crypto';
import type { ClientCertificate } from './client-certificate.ts';
import { askManagers } from './manager-call.ts';
import type { ManagerCallOptions } from './manager-call.ts';
import { QuestionBatch } from './question-batch.ts';

/** What a gateway must know of a station to let it in. */
export interface Credentials {
  stationId: string;
  securityProfile: number;
  /** Keyed hashes of every form in which the station may send its password; empty when it has none. */
  passwordHashes: string[];
  /** The Basic user name of a station that does not send its id, as it should (ocppj.md AUT.1). */
  userName?: string | null;
  /** The judgement on the certificate that was asked about: its fault, or null when it is the station's and valid. */
  certificate?: { fault: string | null };
  /** Spoken with a station that offers no subprotocol; it is refused where there is none. */
  assumedSubprotocol?: 'ocpp1.6' | null;
  /** How often the station sends a Heartbeat at least. */
  heartbeatSeconds?: number;
}

/** What managers answer about several stations, in the order of the question: null for those that nobody knows. */
interface StationsAnswer {
  stations: (Credentials | null)[];
}

/** A station nobody knows is `undefined`; a manager that cannot be asked is thrown as ManagerAwayError. */
export type CredentialSource = (
  stationId: string,
  certificate?: ClientCertificate,
) => Promise<Credentials | undefined>;

/** No manager could be asked. */
export class ManagerAwayError extends Error {
  override name = 'ManagerAwayError';
}

/** While one manager is silent for so long, the next is asked too: a hung one must not hold up handshakes. */
const ASK_NEXT_AFTER_MS = 250;

/**
 * Asks the managers at every handshake, so that a new password or a revoked certificate counts at once. Stations that come at the same
 * time are asked about together; a certificate is judged by itself.
 */
export function credentialsFromManager(options: ManagerCallOptions): CredentialSource {
  const ask = askManagers({ askNextAfterMs: ASK_NEXT_AFTER_MS, ...options });
  const askOne = (stationId: string, body?: object): Promise<Credentials | undefined> =>
    ask(`/gateway/stations/${encodeURIComponent(stationId)}`, body) as Promise<Credentials | undefined>;
  const together = new QuestionBatch(async (stationIds: string[]) => {
    const [only = ''] = stationIds;
    if (stationIds.length === 1) return [await askOne(only)];
    const answer = (await ask('/gateway/stations', { stationIds })) as StationsAnswer | undefined;
    // A manager of the version before, or an adapter to another system, knows the question about one station only.
    if (!answer) return Promise.all(stationIds.map((stationId) => askOne(stationId)));
    return answer.stations.map((credentials) => credentials ?? undefined);
  });
  return async (stationId, certificate) => {
    try {
      return await (certificate
        ? askOne(stationId, { certificateChain: certificate.chain })
        : together.about(stationId));
    } catch (cause) {
      throw new ManagerAwayError('no manager can be asked for credentials', { cause });
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
