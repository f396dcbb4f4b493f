import type { PeerCertificate, TLSSocket } from 'node:tls';
import type { Handshake } from '../connection/connection.ts';
import { reportSecurityEvent } from '../connection/deliver.ts';
import { reconnect } from '../connection/reconnect.ts';
import { tlsFaultOf } from '../connection/tls-faults.ts';
import type { Caller, Connectivity, StationContext } from '../context/station-context.ts';
import { wait } from '../runtime/wait.ts';
import type { Certificates } from './certificates.ts';

/** Parts of the station that security profiles use. */
export type SecurityContext = StationContext &
  Caller &
  Connectivity & { readonly certificates: Certificates };

/** An AuthorizationKey of 16 to 20 bytes (SEC A00.FR.205). */
export const HEX_KEY = /^([0-9a-f]{2}){16,20}$/i;

const ATTEMPTS = 3;
const RETRY_MS = 60_000;

/** The current security profile, the upgrade to a higher one, and the fallback if that fails (SEC A05). */
export class Security {
  /** The password of Basic authentication; takes effect with the next handshake. */
  password: string | Buffer | undefined;
  readonly #station: SecurityContext;
  /** The profile of the next handshake; the configuration key may be ahead of it until the next restart. */
  #profile: number;
  /** The previous profile, while the new one has not worked yet. */
  #before: number | undefined;
  /** A profile that has not worked and is retried later. */
  #postponed: number | undefined;
  #failures = 0;
  /** Stops the wait for the next retry. */
  #retry = new AbortController();
  readonly #reported = new Set<string>();

  constructor(station: SecurityContext) {
    const { options, configuration } = station;
    this.#station = station;
    station.certificates.preset();
    this.#profile = configuration.integer('SecurityProfile');
    this.password = options.password ?? this.passwordOf(configuration.find('AuthorizationKey')?.value);
  }

  /** The security profile that the next handshake uses. */
  get profile(): number {
    return this.#profile;
  }

  /** The password for an AuthorizationKey: the bytes of its hex digits; other text unchanged. */
  passwordOf(key = ''): string | Buffer | undefined {
    if (key === '') return undefined;
    const isHex = HEX_KEY.test(key) && !this.#station.quirks.hexTextAsPassword;
    return isHex ? Buffer.from(key, 'hex') : key;
  }

  /** A05.FR.02 to 04: whether the prerequisites of a profile are present. The key itself checks that the profile increases. */
  canUse(profile: number): boolean {
    const { certificates } = this.#station;
    const isBasic = profile === 1 || profile === 2;
    if (isBasic && this.password === undefined) return false;
    if (profile >= 2 && (certificates.trusted.length === 0 || !this.#url(profile).startsWith('wss:')))
      return false;
    return profile < 3 || certificates.chain !== undefined;
  }

  /** Uses this profile for the next handshake and keeps the previous one until it has worked. */
  use(profile: number): void {
    this.#retry.abort();
    this.#before ??= this.#profile;
    this.#profile = profile;
    this.#postponed = undefined;
    this.#failures = 0;
    this.#station.configuration.set('SecurityProfile', String(profile));
  }

  /** URL, headers and TLS options for the next connection. */
  handshake(): Handshake {
    const { stationId, quirks } = this.#station;
    const { userName = stationId } = quirks;
    const url = this.#url(this.#profile);
    const isBasic = this.#profile !== 3 && this.password !== undefined;
    return {
      url: `${url.replace(/\/$/, '')}${quirks.doubleSlash ? '//' : '/'}${encodeURIComponent(stationId)}`,
      headers: isBasic ? { Authorization: basicAuthorization(userName, this.password ?? '') } : {},
      tls: url.startsWith('wss:') ? this.#tlsOptions() : {},
    };
  }

  /** Call this when the station is connected. */
  onOpen(socket: TLSSocket | undefined): void {
    const { certificates } = this.#station;
    this.#failures = 0;
    this.#reported.clear();
    this.#before = undefined;
    certificates.own.useNewest();
    if (socket) {
      const chain = fingerprintsOf(socket.getPeerCertificate(true));
      certificates.confirm(({ fingerprint256 }) => chain.has(fingerprint256));
    }
    if (this.#postponed !== undefined) void this.#retryLater(this.#postponed);
  }

  /** Call this when an attempt to connect failed. */
  onFailure(error: Error): void {
    this.#report(error);
    const { attempts = ATTEMPTS } = this.#station.options.security ?? {};
    if (++this.#failures % attempts !== 0) return;
    if (this.#before !== undefined) this.#fallBack(this.#before);
    else if (this.#postponed !== undefined) this.use(this.#postponed);
    else this.#station.certificates.own.swap();
  }

  /** At a restart, applies a pending profile or retries a failed one. */
  comeUp(): void {
    const desired = this.#postponed ?? this.#station.configuration.integer('SecurityProfile');
    if (desired > this.#profile) this.use(desired);
  }

  #fallBack(profile: number): void {
    this.#postponed = this.#profile;
    this.#before = undefined;
    this.#profile = profile;
    this.#station.configuration.set('SecurityProfile', String(profile));
  }

  async #retryLater(profile: number): Promise<void> {
    const station = this.#station;
    this.#retry.abort();
    this.#retry = new AbortController();
    const signal = AbortSignal.any([this.#retry.signal, station.closed]);
    await wait(station.options.security?.retryMs ?? RETRY_MS, signal);
    if (signal.aborted || !station.isConnected) return;
    this.use(profile);
    await reconnect(station);
  }

  /** Reports each kind once until it is connected again: the next attempt would fail in the same way. */
  #report(error: Error): void {
    const fault = tlsFaultOf(error);
    if (!fault || this.#reported.has(fault.type)) return;
    this.#reported.add(fault.type);
    void reportSecurityEvent(this.#station, fault.type, fault.techInfo);
  }

  #url(profile: number): string {
    const { url, endpoints = {} } = this.#station.options;
    if (profile === 0) return url;
    return (profile === 1 ? endpoints.ws : endpoints.wss) ?? url;
  }

  #tlsOptions(): Handshake['tls'] {
    const { options, certificates } = this.#station;
    const { minVersion, maxVersion, ciphers, servername } = options.tls ?? {};
    const { trusted } = certificates;
    const own = this.#profile === 3 || this.#profile === 0 ? certificates.own.current : undefined;
    return {
      ...(minVersion && { minVersion }),
      ...(maxVersion && { maxVersion }),
      ...(ciphers !== undefined && { ciphers }),
      ...(servername !== undefined && { servername }),
      // A root that another one has signed is trusted on its own.
      allowPartialTrustChain: true,
      ...(trusted.length > 0 && { ca: trusted.map(String) }),
      ...(own && { cert: own.chain, key: own.privateKey.export({ type: 'pkcs8', format: 'pem' }) }),
    };
  }
}

/** Fingerprints of all certificates from the peer's up to its root. */
function fingerprintsOf(certificate: PeerCertificate): Set<string> {
  const found = new Set<string>();
  let one: PeerCertificate | undefined = certificate;
  while (one?.fingerprint256 && !found.has(one.fingerprint256)) {
    found.add(one.fingerprint256);
    one = (one as { issuerCertificate?: PeerCertificate }).issuerCertificate;
  }
  return found;
}

/** The Authorization header with the raw bytes of the password, which need not be text (OCPP-J §6.2.2). */
function basicAuthorization(userName: string, password: string | Buffer): string {
  const bytes = Buffer.concat([Buffer.from(`${userName}:`), Buffer.from(password)]);
  return `Basic ${bytes.toString('base64')}`;
}
