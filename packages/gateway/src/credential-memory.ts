import { NewestMap, warnOf } from '@evander/process';
import type { Log } from '@evander/process';
import type { ClientCertificate } from './client-certificate.ts';
import { ManagerAwayError } from './credentials.ts';
import type { Credentials, CredentialSource } from './credentials.ts';

export interface CredentialMemoryOptions {
  source: CredentialSource;
  /** For so long after the managers have stopped answering, what they said before counts, in ms. */
  rememberMs: number;
  /** A station that nothing is remembered of waits for so long while no manager answers, in ms. */
  waitMs: number;
  nowMs?: () => number;
  log: Log;
}

/** What was said of a station that showed no certificate, and of the last certificate that was its own. */
interface Remembered {
  bare?: Credentials;
  certified?: { fingerprint: string; credentials: Credentials };
}

/** Stations that are remembered, about 500 bytes each. */
const REMEMBERED = 50_000;
/** How long the managers may take before the memory counts: in general, and once they have been found to be away. */
const PATIENCE_MS = { usual: 1000, away: 100 } as const;
/** Between two attempts for a station that waits: the first pause, which doubles, and the longest. */
const PAUSE_MS = { first: 250, longest: 2000 } as const;

/**
 * Asks for credentials at every handshake, and falls back on the last answer about the station while the managers are away or hang, so
 * that stations can reconnect meanwhile.
 */
export class CredentialMemory {
  readonly #options: CredentialMemoryOptions;
  readonly #nowMs: () => number;
  readonly #remembered = new NewestMap<string, Remembered>(REMEMBERED);
  #awaySinceMs: number | undefined;

  constructor(options: CredentialMemoryOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? (() => performance.now());
  }

  /** Rejects with ManagerAwayError when no manager can be asked in time and nothing is remembered. */
  async credentialsOf(stationId: string, certificate?: ClientCertificate): Promise<Credentials | undefined> {
    const last = this.remembered(stationId, certificate);
    if (!last) return this.#askAgain(stationId, certificate);
    const asked = this.#ask(stationId, certificate);
    let timer: NodeJS.Timeout | undefined;
    const patienceMs = this.#awaySinceMs === undefined ? PATIENCE_MS.usual : PATIENCE_MS.away;
    const isSlow = new Promise<Credentials>((resolve) => {
      timer = setTimeout(() => {
        this.#areAway(new Error(`no answer within ${patienceMs} ms`));
        resolve(last);
      }, patienceMs);
    });
    const answered = asked.catch((error: unknown) => {
      if (error instanceof ManagerAwayError) return last;
      throw error;
    });
    try {
      return await Promise.race([answered, isSlow]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** The last answer about a station with this certificate, or with none; undefined when there was none, or it counts no longer. */
  remembered(stationId: string, certificate?: ClientCertificate): Credentials | undefined {
    const awayMs = this.#awaySinceMs === undefined ? 0 : this.#nowMs() - this.#awaySinceMs;
    if (awayMs >= this.#options.rememberMs) return undefined;
    const { bare, certified } = this.#remembered.get(stationId) ?? {};
    if (!certificate) return bare;
    return certified?.fingerprint === certificate.fingerprint ? certified.credentials : undefined;
  }

  // A manager that starts, or a load balancer that has not noticed that one has stopped, fails for a moment: a station that is refused
  // for it comes back much later.
  async #askAgain(stationId: string, certificate?: ClientCertificate): Promise<Credentials | undefined> {
    const endMs = this.#nowMs() + this.#options.waitMs;
    for (let pauseMs: number = PAUSE_MS.first; ; pauseMs = Math.min(2 * pauseMs, PAUSE_MS.longest)) {
      try {
        return await this.#ask(stationId, certificate);
      } catch (error) {
        if (!(error instanceof ManagerAwayError) || this.#nowMs() + pauseMs > endMs) throw error;
      }
      // Not all of them at the same moment.
      await new Promise((resolve) => setTimeout(resolve, pauseMs * (0.5 + Math.random() / 2)));
    }
  }

  // Goes on when the memory has been used meanwhile: a late answer counts at the next handshake.
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

  // A certificate that is not the station's must not take the place of the one that is: anyone can show one in its name.
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
    const what = 'no manager of EVANDER_MANAGER_URL answers for credentials: those remembered count';
    warnOf(this.#options.log, what, cause);
  }
}
