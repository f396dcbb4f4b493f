import type { PeerCertificate, TLSSocket } from 'node:tls';
import type { Handshake } from '../connection/connection.ts';
import { reportSecurityEvent } from '../connection/deliver.ts';
import { reconnect } from '../connection/reconnect.ts';
import { tlsFaultOf } from '../connection/tls-faults.ts';
import type { Caller, Connectivity, StationContext } from '../context/station-context.ts';
import { wait } from '../runtime/wait.ts';
import type { Certificates } from './certificates.ts';

/** What the security profiles need of their station. */
export type SecurityContext = StationContext &
  Caller &
  Connectivity & { readonly certificates: Certificates };

/** An AuthorizationKey of 16 to 20 bytes (SEC A00.FR.205). */
export const HEX_KEY = /^([0-9a-f]{2}){16,20}$/i;

const ATTEMPTS = 3;
const RETRY_MS = 60_000;

/** The security profile in use, how the station gets to a higher one, and back when that fails (SEC A05). */
export class Security {
  /** Of Basic authentication; takes effect with the next handshake. */
  password: string | Buffer | undefined;
  readonly #station: SecurityContext;
  /** Of the next handshake; the configuration key may be ahead of it until the next restart. */
  #profile: number;
  /** The profile before, while the new one has not worked yet. */
  #before: number | undefined;
  /** Did not work so far, and is tried again later. */
  #postponed: number | undefined;
  #failures = 0;
  /** Stops the wait for the next try. */
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

  /** What an AuthorizationKey stands for: the bytes of its hex digits; other text as it is. */
  passwordOf(key = ''): string | Buffer | undefined {
    if (key === '') return undefined;
    const isHex = HEX_KEY.test(key) && !this.#station.quirks.hexTextAsPassword;
    return isHex ? Buffer.from(key, 'hex') : key;
  }

  /** A05.FR.02 to 04: what a profile needs must be there. That it goes up is checked with the key itself. */
  canUse(profile: number): boolean {
    const { certificates } = this.#station;
    const isBasic = profile === 1 || profile === 2;
    if (isBasic && this.password === undefined) return false;
    if (profile >= 2 && (certificates.trusted.length === 0 || !this.#url(profile).startsWith('wss:')))
      return false;
    return profile < 3 || certificates.chain !== undefined;
  }

  /** The next handshake uses this profile; the one before is kept until that has worked. */
  use(profile: number): void {
    this.#retry.abort();
    this.#before ??= this.#profile;
    this.#profile = profile;
    this.#postponed = undefined;
    this.#failures = 0;
    this.#station.configuration.set('SecurityProfile', String(profile));
  }

  /** Where and how to connect now. */
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

  /** The station is connected. */
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

  /** An attempt to connect failed. */
  onFailure(error: Error): void {
    this.#report(error);
    const { attempts = ATTEMPTS } = this.#station.options.security ?? {};
    if (++this.#failures % attempts !== 0) return;
    if (this.#before !== undefined) this.#fallBack(this.#before);
    else if (this.#postponed !== undefined) this.use(this.#postponed);
    else this.#station.certificates.own.swap();
  }

  /** The station restarts: a profile that waited for it is used, or one that did not work is tried again. */
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

  /** Told once of each kind until it is connected again: the next attempt fails alike. */
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
      // A root that another one has signed is trusted for itself.
      allowPartialTrustChain: true,
      ...(trusted.length > 0 && { ca: trusted.map(String) }),
      ...(own && { cert: own.chain, key: own.privateKey.export({ type: 'pkcs8', format: 'pem' }) }),
    };
  }
}

/** All certificates from the peer's up to its root. */
function fingerprintsOf(certificate: PeerCertificate): Set<string> {
  const found = new Set<string>();
  let one: PeerCertificate | undefined = certificate;
  while (one?.fingerprint256 && !found.has(one.fingerprint256)) {
    found.add(one.fingerprint256);
    one = (one as { issuerCertificate?: PeerCertificate }).issuerCertificate;
  }
  return found;
}

/** The Authorization header: the password's bytes as they are, they need not be text (OCPP-J §6.2.2). */
function basicAuthorization(userName: string, password: string | Buffer): string {
  const bytes = Buffer.concat([Buffer.from(`${userName}:`), Buffer.from(password)]);
  return `Basic ${bytes.toString('base64')}`;
}
