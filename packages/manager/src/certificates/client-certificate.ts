import { Certificate, readChain, readCrl, validatePath } from '@evander/pki';
import type { Log } from '@evander/process';
import type { Database } from '../database/database.ts';
import * as stations from '../stations/stations.store.ts';
import type { Authority } from './authority.ts';
import * as issuedCertificates from './issued-certificates.store.ts';
import { NoStatus } from './responders.ts';
import type { Responders } from './responders.ts';
import * as trustedRoots from './trusted-roots.store.ts';
import type { TrustedRoot } from './trusted-roots.store.ts';

/** Roots change rarely, but each handshake needs them: they are cached briefly. */
const ROOTS_MS = 2000;

export interface CertificateJudgeOptions {
  database: Database;
  authority: Authority;
  responders: Responders;
  now(): Date;
  log: Log;
}

interface Anchor {
  certificate: Certificate;
  organisations: string[];
  crl: Buffer | null;
  isBuiltIn: boolean;
}

/** Verifies the certificates that stations present (ocppj.md TLS.9 to TLS.11): their owner, issuer, validity and revocation. */
export class CertificateJudge {
  readonly #options: CertificateJudgeOptions;
  #anchors: { list: Promise<Anchor[]>; untilMs: number } | undefined;

  constructor(options: CertificateJudgeOptions) {
    this.#options = options;
  }

  /** Checks a chain that a station presented, its own certificate first. Resolves with the fault; null if it is valid for the station. */
  async faultOf(stationId: string, chainPem: string): Promise<string | null> {
    const { database, now } = this.#options;
    let chain: Certificate[];
    try {
      chain = readChain(chainPem);
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
    const [own] = chain;
    if (!own) return 'the chain is empty';
    const anchors = await this.#knownAnchors();
    const result = validatePath({
      chain,
      anchors: anchors.map(({ certificate }) => certificate),
      at: now(),
      purpose: 'clientAuth',
    });
    if (!result.ok) return result.reason;
    const root = result.path.at(-1);
    const anchor = anchors.find(({ certificate }) => certificate.fingerprint === root?.fingerprint);
    if (!anchor) return 'its path does not end at a trusted root';
    const fault =
      (await this.#identityFault(stationId, own, anchor)) ??
      (await this.#revocationFault(stationId, result.path, anchor));
    if (fault !== undefined) return fault;
    await stations.noteCertificate(database, stationId, own.fingerprint);
    return null;
  }

  /** To be called when roots have changed. Other managers notice it when their cache expires. */
  forgetRoots(): void {
    this.#anchors = undefined;
  }

  async #identityFault(stationId: string, own: Certificate, anchor: Anchor): Promise<string | undefined> {
    const { database } = this.#options;
    const { CN: commonName, O: organisation } = own.subject;
    const names = await stations.registeredNames(database, stationId);
    if (!own.identifiers.some((name) => names.includes(name)))
      return `its CN is ${commonName ?? 'missing'}, which is neither station ${stationId} nor a serial number registered for it`;
    const owner = await stations.otherNamed(database, stationId, own.identifiers);
    if (owner !== undefined) return `it also names station ${owner}`;
    if (organisation === undefined || !anchor.organisations.includes(organisation))
      return `its O is ${organisation ?? 'missing'}, not ${anchor.organisations.join(' or ')}`;
    const other = await stations.otherWithCertificate(database, stationId, own.fingerprint);
    return other === undefined ? undefined : `station ${other} uses the same certificate`;
  }

  async #revocationFault(
    stationId: string,
    path: Certificate[],
    anchor: Anchor,
  ): Promise<string | undefined> {
    const [own, issuer] = path;
    if (!own) return undefined;
    if (anchor.isBuiltIn) {
      const issued = await issuedCertificates.get(this.#options.database, own.serialNumber);
      if (issued?.fingerprint !== own.fingerprint) return 'Evander did not issue it';
      if (issued.stationId !== stationId) return `it was issued for ${issued.stationId ?? 'a server'}`;
      return issued.revokedAt ? `it is revoked: ${issued.revocationReason ?? 'unspecified'}` : undefined;
    }
    if (anchor.crl && readCrl(anchor.crl).has(own.serialNumber))
      return 'it is revoked, according to the revocation list of its root';
    const [responderURL] = own.ocspUrls;
    if (responderURL === undefined || !issuer) return undefined;
    try {
      const { answer } = await this.#options.responders.ask(
        { ...own.hashData(issuer), responderURL },
        () => issuer,
      );
      return answer.status === 'revoked' ? `it is revoked, according to ${responderURL}` : undefined;
    } catch (error) {
      if (!(error instanceof NoStatus)) throw error;
      // An outage of an external responder must not disconnect stations.
      this.#options.log.warn(
        { err: error, responderURL, subject: own.subject },
        'revocation could not be checked',
      );
      return undefined;
    }
  }

  #knownAnchors(): Promise<Anchor[]> {
    const nowMs = Date.now();
    if (this.#anchors && this.#anchors.untilMs > nowMs) return this.#anchors.list;
    const list = this.#readAnchors();
    this.#anchors = { list, untilMs: nowMs + ROOTS_MS };
    list.catch(() => (this.#anchors = undefined));
    return list;
  }

  async #readAnchors(): Promise<Anchor[]> {
    const { database, authority } = this.#options;
    const { organisation } = authority;
    const builtIn = Certificate.parse(await authority.rootPem());
    const others = (await trustedRoots.list(database)).map((root: TrustedRoot) => ({
      certificate: Certificate.parse(root.certificate),
      organisations: root.organisations,
      crl: root.crl,
      isBuiltIn: false,
    }));
    return [{ certificate: builtIn, organisations: [organisation], crl: null, isBuiltIn: true }, ...others];
  }
}
