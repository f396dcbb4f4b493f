import { warnOf } from '@evander/process';
import type { Log, Sealer } from '@evander/process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { AskManagers } from './manager-call.ts';

/** What the server shows to stations: one certificate for each kind of key (ocppj.md TLS.4). */
export interface ServerCertificates {
  /** PEM, each with its intermediates. */
  cert: string[];
  key: string[];
}

export interface CertificateSource {
  /** Somebody else has to make them, which may take a while: the server does not wait for it. */
  isSlow?: true;
  /** Loads them. Rejects when they cannot be had or used. */
  load(): Promise<ServerCertificates>;
  /** Is what was loaded at `loadedAtMs` to be loaded again? */
  isStale(loadedAtMs: number): Promise<boolean>;
}

/** Certificates of the operator's own, in PEM files: key by key, in the same order. They are loaded again when one has changed. */
export function certificatesFromFiles(certificateFiles: string[], keyFiles: string[]): CertificateSource {
  return {
    load: async () => ({
      cert: await Promise.all(certificateFiles.map((file) => readFile(file, 'utf8'))),
      key: await Promise.all(keyFiles.map((file) => readFile(file, 'utf8'))),
    }),
    isStale: async (loadedAtMs) => {
      const files = await Promise.all([...certificateFiles, ...keyFiles].map((file) => stat(file)));
      return files.some(({ mtimeMs, ctimeMs }) => Math.max(mtimeMs, ctimeMs) >= loadedAtMs);
    },
  };
}

/** Certificates from the managers' own authority, for trying and for networks that trust it; renewed when a third of their life is left. */
export function certificatesFromManager(
  ask: AskManagers,
  { names, sealer }: { names: string[]; sealer: Sealer },
): CertificateSource {
  let renewAtMs = 0;
  return {
    isSlow: true,
    load: async () => {
      const answer = (await ask('/gateway/server-certificates', { names })) as { sealed: string } | undefined;
      if (!answer) throw new Error('the manager has no authority for server certificates');
      const pairs = JSON.parse(sealer.open(Buffer.from(answer.sealed, 'base64'))) as {
        chainPem: string;
        keyPem: string;
      }[];
      const cert = pairs.map(({ chainPem }) => chainPem);
      renewAtMs = Math.min(...cert.map(renewalMs));
      return { cert, key: pairs.map(({ keyPem }) => keyPem) };
    },
    isStale: () => Promise.resolve(Date.now() >= renewAtMs),
  };
}

function renewalMs(pem: string): number {
  const { validFrom, validTo } = new X509Certificate(pem);
  const endMs = Date.parse(validTo);
  return endMs - (endMs - Date.parse(validFrom)) / 3;
}

export interface CertificateKeeperOptions {
  source: CertificateSource;
  /** Puts certificates to use: for new connections, those that are open stay. */
  use(certificates: ServerCertificates): void;
  everyMs: number;
  log: Log;
}

/** Looks after the server's certificates: loads them, and again when they are stale. */
export class CertificateKeeper {
  readonly #options: CertificateKeeperOptions;
  #timer: NodeJS.Timeout | undefined;
  #loadedAtMs = 0;
  #expiresAtMs = NaN;
  #closed = false;

  constructor(options: CertificateKeeperOptions) {
    this.#options = options;
  }

  /** When the first of them ends; NaN while there is none. */
  get expiresAtMs(): number {
    return this.#expiresAtMs;
  }

  /** Loads them, and goes on looking after them. Rejects when they lie here and cannot be used; those of others are waited for later. */
  async start(): Promise<void> {
    if (!this.#options.source.isSlow) await this.#load();
    void this.#look();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  async #look(): Promise<void> {
    const { source, log, everyMs } = this.#options;
    const from = source.isSlow ? ' from the managers of EVANDER_MANAGER_URL' : '';
    try {
      if (this.#loadedAtMs === 0 || (await source.isStale(this.#loadedAtMs))) await this.#load();
    } catch (error) {
      // What is in use stays in use. A gateway that stops needs none, and its managers may stop with it.
      if (!this.#closed) warnOf(log, `the server certificates could not be loaded${from}`, error);
    }
    if (!this.#closed) this.#timer = setTimeout(() => void this.#look(), everyMs).unref();
  }

  async #load(): Promise<void> {
    const { source, use, log } = this.#options;
    const atMs = Date.now();
    const certificates = await source.load();
    const own = certificates.cert.map((pem) => new X509Certificate(pem));
    own.forEach((certificate, i) => requireKey(certificate, certificates.key[i] ?? ''));
    createSecureContext({ ...certificates });
    use(certificates);
    this.#loadedAtMs = atMs;
    this.#expiresAtMs = Math.min(...own.map(({ validTo }) => Date.parse(validTo)));
    const shown = own.map(({ subject, validTo, publicKey }) => ({
      subject,
      validTo,
      key: publicKey.asymmetricKeyType,
    }));
    log.info({ certificates: shown }, 'server certificates loaded');
  }
}

// OpenSSL would take the pair, and every handshake with it would fail.
function requireKey(certificate: X509Certificate, key: string): void {
  if (certificate.checkPrivateKey(createPrivateKey(key))) return;
  throw new Error(
    `the private key is not that of the certificate of ${certificate.subject.replaceAll('\n', ', ')}`,
  );
}
