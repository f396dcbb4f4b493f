import { warnOf } from '@evander/process';
import type { Log, Sealer } from '@evander/process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { AskManagers } from './manager-call.ts';

/** The server's certificates, one for each type of key (ocppj.md TLS.4). */
export interface ServerCertificates {
  /** PEM, each with its intermediates. */
  cert: string[];
  key: string[];
}

export interface CertificateSource {
  /** A manager issues them, which may take a while: the server starts without waiting. */
  isSlow?: true;
  /** Loads the certificates. Rejects when they are unavailable or unusable. */
  load(): Promise<ServerCertificates>;
  /** Whether certificates loaded at `loadedAtMs` must be loaded again. */
  isStale(loadedAtMs: number): Promise<boolean>;
}

/** The operator's certificates in PEM files; certificates and keys in the same order. Reloaded when a file changes. */
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

/** Certificates from the managers' authority, for trials and for networks that trust it. Renewed when a third of their lifetime is left. */
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
  /** Uses certificates for new connections; open ones stay. */
  use(certificates: ServerCertificates): void;
  everyMs: number;
  log: Log;
}

/** Loads the server's certificates, and reloads them when they are stale. */
export class CertificateKeeper {
  readonly #options: CertificateKeeperOptions;
  #timer: NodeJS.Timeout | undefined;
  #loadedAtMs = 0;
  #expiresAtMs = NaN;
  #closed = false;

  constructor(options: CertificateKeeperOptions) {
    this.#options = options;
  }

  /** Expiry of the first certificate to expire; NaN without certificates. */
  get expiresAtMs(): number {
    return this.#expiresAtMs;
  }

  /**
   * Loads the certificates and starts watching them. Rejects when local files are unusable; does not wait for certificates from managers.
   */
  async start(): Promise<void> {
    if (!this.#options.source.isSlow) await this.#load();
    void this.#check();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  async #check(): Promise<void> {
    const { source, log, everyMs } = this.#options;
    const from = source.isSlow ? ' from the managers of EVANDER_MANAGER_URL' : '';
    try {
      if (this.#loadedAtMs === 0 || (await source.isStale(this.#loadedAtMs))) await this.#load();
    } catch (error) {
      // The current certificates stay in use. While the gateway stops, a failure does not matter: its managers may be stopping too.
      if (!this.#closed) warnOf(log, `the server certificates could not be loaded${from}`, error);
    }
    if (!this.#closed) this.#timer = setTimeout(() => void this.#check(), everyMs).unref();
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

// OpenSSL accepts a mismatched pair, and then every handshake fails.
function requireKey(certificate: X509Certificate, key: string): void {
  if (certificate.checkPrivateKey(createPrivateKey(key))) return;
  throw new Error(
    `the private key does not match the certificate of ${certificate.subject.replaceAll('\n', ', ')}`,
  );
}
