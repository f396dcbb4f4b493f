import { hashStationPassword } from '@evander/process';
import type { Log } from '@evander/process';
import { timingSafeEqual } from 'node:crypto';
import type { ClientCertificate } from './client-certificate.ts';
import { askManagers } from './manager-call.ts';
import type { ManagerCallOptions } from './manager-call.ts';

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
}

/** A station nobody knows is `undefined`; a manager that cannot be asked is thrown as ManagerAwayError. */
export type CredentialSource = (
  stationId: string,
  certificate?: ClientCertificate,
) => Promise<Credentials | undefined>;

/** No manager could be asked and nothing is remembered. */
export class ManagerAwayError extends Error {
  override name = 'ManagerAwayError';
}

export type ManagerCredentialsOptions = ManagerCallOptions & { log: Log };

interface Remembered {
  credentials: Credentials;
  /** The certificate that was judged; another one is not let in on the strength of it. */
  fingerprint: string | undefined;
}

/**
 * Asks a manager at every handshake, so that a new password or a revoked certificate counts at once, and falls back on what it was told
 * last while none can be asked, so that stations can reconnect while managers restart.
 */
export function credentialsFromManager(options: ManagerCredentialsOptions): CredentialSource {
  const { log } = options;
  const ask = askManagers(options);
  const remembered = new Map<string, Remembered>();
  return async (stationId, certificate) => {
    const path = `/gateway/stations/${encodeURIComponent(stationId)}`;
    const fingerprint = certificate?.fingerprint;
    try {
      const found = (await ask(path, certificate && { certificateChain: certificate.chain })) as
        Credentials | undefined;
      if (found) remembered.set(stationId, { credentials: found, fingerprint });
      else remembered.delete(stationId);
      return found;
    } catch (cause) {
      const last = remembered.get(stationId);
      log.warn(
        { stationId, err: cause, remembered: last !== undefined },
        'no manager can be asked for credentials',
      );
      if (!last || last.fingerprint !== fingerprint)
        throw new ManagerAwayError('no manager can be asked for credentials', { cause });
      return last.credentials;
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
