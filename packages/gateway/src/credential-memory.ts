import { NewestMap, warnOf } from '@evander/process';
import type { Log } from '@evander/process';
import type { ClientCertificate } from './client-certificate.ts';
import { ManagerAwayError } from './credentials.ts';
import type { Credentials, CredentialSource } from './credentials.ts';

export interface CredentialMemoryOptions {
  source: CredentialSource;
  /** How long remembered answers stay valid after the managers stop answering, in ms. */
  rememberMs: number;
  /** How long a station without remembered credentials waits while no manager answers, in ms. */
  waitMs: number;
  nowMs?: () => number;
  log: Log;
}

/** The last answer for a handshake without a certificate, and the last one for a certificate that belongs to the station. */
interface Remembered {
  bare?: Credentials;
  certified?: { fingerprint: string; credentials: Credentials };
}

/** Number of stations remembered, about 500 bytes each. */
const MAX_REMEMBERED = 50_000;
/** How long to wait for the managers before the remembered answer is used: normally, and while they are known to be away. */
const PATIENCE_MS = { usual: 1000, away: 100 } as const;
/** Delay between two attempts for a waiting station: the first one, which doubles, and the longest. */
const PAUSE_MS = { first: 250, longest: 2000 } as const;

/**
 * Asks for credentials at every handshake. While the managers are away or hang, it falls back to the last answer about the station, so that
 * stations can reconnect.
 */
export class CredentialMemory {
  readonly #options: CredentialMemoryOptions;
  readonly #nowMs: () => number;
  readonly #remembered = new NewestMap<string, Remembered>(MAX_REMEMBERED);
  #awaySinceMs: number | undefined;

  constructor(options: CredentialMemoryOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? (() => performance.now());
  }

  /** Rejects with ManagerAwayError when no manager answers in time and no answer is remembered. */
  async credentialsOf(stationId: string, certificate?: ClientCertificate): Promise<Credentials | undefined> {
    const last = this.remembered(stationId, certificate);
    if (!last) return this.#askAgain(stationId, certificate);
    const answer = this.#ask(stationId, certificate);
    let timer: NodeJS.Timeout | undefined;
    const patienceMs = this.#awaySinceMs === undefined ? PATIENCE_MS.usual : PATIENCE_MS.away;
    const isSlow = new Promise<Credentials>((resolve) => {
      timer = setTimeout(() => {
        this.#areAway(new Error(`no answer within ${patienceMs} ms`));
        resolve(last);
      }, patienceMs);
    });
    const answered = answer.catch((error: unknown) => {
      if (error instanceof ManagerAwayError) return last;
      throw error;
    });
    try {
      return await Promise.race([answered, isSlow]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** The last answer about a station with this certificate, or with none; undefined when there is none or it has expired. */
  remembered(stationId: string, certificate?: ClientCertificate): Credentials | undefined {
    const awayMs = this.#awaySinceMs === undefined ? 0 : this.#nowMs() - this.#awaySinceMs;
    if (awayMs >= this.#options.rememberMs) return undefined;
    const { bare, certified } = this.#remembered.get(stationId) ?? {};
    if (!certificate) return bare;
    return certified?.fingerprint === certificate.fingerprint ? certified.credentials : undefined;
  }

  // A starting manager, or a load balancer that has not noticed a stopped one, fails only briefly; a rejected station would reconnect much
  // later.
  async #askAgain(stationId: string, certificate?: ClientCertificate): Promise<Credentials | undefined> {
    const endMs = this.#nowMs() + this.#options.waitMs;
    for (let pauseMs: number = PAUSE_MS.first; ; pauseMs = Math.min(2 * pauseMs, PAUSE_MS.longest)) {
      try {
        return await this.#ask(stationId, certificate);
      } catch (error) {
        if (!(error instanceof ManagerAwayError) || this.#nowMs() + pauseMs > endMs) throw error;
      }
      // Jitter, so that the stations do not all retry at the same moment.
      await new Promise((resolve) => setTimeout(resolve, pauseMs * (0.5 + Math.random() / 2)));
    }
  }

  // Keeps running after the remembered answer was used: a late answer counts for the next handshake.
  async #ask(stationId: string, certificate?: ClientCertificate): Promise<Credentials | undefined> {
    const { source, log } = this.#options;
    try {
      const credentials = await source(stationId, certificate);
      if (credentials) this.#remember(credentials, certificate);
      else this.#remembered.delete(stationId);
      if (this.#awaySinceMs !== undefined) log.info('managers answer for credentials again');
      this.#awaySinceMs = undefined;
      return credentials;
    } catch (error) {
      if (error instanceof ManagerAwayError) this.#areAway(error);
      throw error;
    }
  }

  // A foreign certificate must not replace the station's own: any client can present one in the station's name.
  #remember(credentials: Credentials, certificate?: ClientCertificate): void {
    const known = this.#remembered.get(credentials.stationId) ?? {};
    if (!certificate) {
      this.#remembered.set(credentials.stationId, { ...known, bare: credentials });
      return;
    }
    const { fingerprint } = certificate;
    const isKept = known.certified !== undefined && known.certified.fingerprint !== fingerprint;
    if (isKept && credentials.certificate?.fault !== null) return;
    this.#remembered.set(credentials.stationId, { ...known, certified: { fingerprint, credentials } });
  }

  #areAway(cause: Error): void {
    if (this.#awaySinceMs !== undefined) return;
    this.#awaySinceMs = this.#nowMs();
    const what = 'no manager of EVANDER_MANAGER_URL answers for credentials: using remembered credentials';
    warnOf(this.#options.log, what, cause);
  }
}
