import { Certificate, CertificateAuthority } from '@evander/pki';
import type { Sealer } from '@evander/process';
import * as authorities from '../store/authorities.ts';
import type { Database } from '../store/db.ts';
import * as issuedCertificates from '../store/issued-certificates.ts';
import type { Usage } from '../store/issued-certificates.ts';
import { subjectFor } from './signing-request.ts';

const ROOT_DAYS = 20 * 365;
const SERVER_DAYS = 30;
const LIST_HOURS = 24;
/** OCSPResponse: somebody else's certificate. */
const UNAUTHORIZED = Buffer.from('30030a0106', 'hex');

export interface AuthorityOptions {
  database: Database;
  /** What seals its key in the database. */
  sealer: Sealer;
  /** Whose certificates they are: the O of all subjects. */
  organisation: string;
  /** How long a station's certificate is valid. */
  stationDays: number;
  /** Where the list of revoked certificates and the responder are reached; without it certificates do not name them. */
  publicUrl?: string;
  now(): Date;
}

/**
 * Our own certificate authority, for stations and for servers to try with. Its key is made by the first manager that needs it, lies sealed in
 * the database, and is open in the memory of managers only.
 */
export class Authority {
  readonly organisation: string;
  readonly #options: AuthorityOptions;
  readonly #loaded = new Map<string, Promise<CertificateAuthority>>();

  constructor(options: AuthorityOptions) {
    this.#options = options;
    this.organisation = options.organisation;
  }

  /** The root that whoever trusts us needs, PEM. */
  async rootPem(name: AuthorityName = 'evander'): Promise<string> {
    return (await this.#authority(name)).certificatePem;
  }

  /** Certificates for a server, one for each kind of key (ocppj.md TLS.4), with their keys. */
  async issueServer(names: string[]): Promise<{ chainPem: string; keyPem: string }[]> {
    const authority = await this.#authority('evander');
    const pairs = [];
    for (const keyType of ['rsa', 'ec'] as const) {
      const issued = await authority.issueServer({
        names,
        keyType,
        validForDays: SERVER_DAYS,
        ...this.#urls('evander'),
      });
      await this.#record(issued.chainPem, { usage: 'server', stationId: null });
      pairs.push(issued);
    }
    return pairs;
  }

  /** A certificate for the key of a station's request, PEM with the chain up to the root. The request has been checked. */
  async issueForStation(
    stationId: string,
    csr: string,
    usage: 'station' | 'v2g' = 'station',
  ): Promise<string> {
    const name = usage === 'v2g' ? 'v2g' : 'evander';
    const authority = await this.#authority(name);
    const leaf = await authority.issueFromRequest(csr, {
      subject: subjectFor(csr, { organisation: this.organisation, usage }),
      validForDays: this.#options.stationDays,
      usage: usage === 'v2g' ? 'v2g' : 'client',
      ...this.#urls(name),
    });
    await this.#record(leaf, { usage, stationId });
    return leaf;
  }

  /** The list of certificates that one of the authorities has revoked, DER (RFC 5280 §5). */
  async revocationList(name: AuthorityName = 'evander'): Promise<Buffer> {
    const { database, now } = this.#options;
    const revoked = await issuedCertificates.revoked(database, name, now());
    const authority = await this.#authority(name);
    return authority.crl({
      revoked: revoked.map(({ serialNumber, revokedAt, revocationReason }) => ({
        serialNumber,
        revokedAt: revokedAt ?? now(),
        reason: revocationReason ?? 'unspecified',
      })),
      nextUpdate: new Date(now().getTime() + LIST_HOURS * 3_600_000),
    });
  }

  /** Answers a question for a certificate of ours, DER (RFC 6960). */
  async answerOcsp(request: Buffer): Promise<Buffer> {
    const answer = await this.#answerAs('evander', request);
    return answer.equals(UNAUTHORIZED) ? this.#answerAs('v2g', request) : answer;
  }

  async #answerAs(name: AuthorityName, request: Buffer): Promise<Buffer> {
    const authority = await this.#authority(name);
    return authority.answerOcsp(request, async (serialNumber) => {
      const issued = await issuedCertificates.get(this.#options.database, serialNumber);
      if (!issued) return 'unknown';
      const { revokedAt, revocationReason } = issued;
      return revokedAt ? { revokedAt, reason: revocationReason ?? 'unspecified' } : 'good';
    });
  }

  #authority(name: AuthorityName): Promise<CertificateAuthority> {
    const known = this.#loaded.get(name);
    if (known) return known;
    const loading = this.#load(name).catch((error: unknown) => {
      // Asked again next time: the database may have been away.
      this.#loaded.delete(name);
      throw error;
    });
    this.#loaded.set(name, loading);
    return loading;
  }

  async #load(name: AuthorityName): Promise<CertificateAuthority> {
    const { database, sealer, now } = this.#options;
    const kept = (await authorities.get(database, name)) ?? (await this.#make(name));
    if (!kept) throw new Error(`the authority ${name} was made at ${now().toISOString()} and is not there`);
    return CertificateAuthority.load({ chainPem: kept.chain, keyPem: sealer.open(kept.sealedKey) });
  }

  // Several managers may make one: the first that is kept counts for all.
  async #make(name: AuthorityName): Promise<authorities.StoredAuthority | undefined> {
    const { database, sealer, now, organisation } = this.#options;
    const made = await CertificateAuthority.create({
      commonName: NAMES[name].commonName,
      organisation,
      keyType: NAMES[name].keyType,
      validForDays: ROOT_DAYS,
    });
    const sealedKey = sealer.seal(await made.exportKey());
    await authorities.add(database, name, { chain: made.chainPem, sealedKey, at: now() });
    return authorities.get(database, name);
  }

  async #record(
    chainPem: string,
    { usage, stationId }: { usage: Usage; stationId: string | null },
  ): Promise<void> {
    const certificate = Certificate.parse(chainPem);
    await issuedCertificates.add(this.#options.database, {
      authority: usage === 'v2g' ? 'v2g' : 'evander',
      usage,
      stationId,
      serialNumber: certificate.serialNumber,
      subject: Object.entries(certificate.subject)
        .map(([name, value]) => `${name}=${value}`)
        .join(', '),
      fingerprint: certificate.fingerprint,
      certificate: certificate.pem,
      validFrom: certificate.notBefore,
      validTo: certificate.notAfter,
      issuedAt: this.#options.now(),
    });
  }

  #urls(name: AuthorityName): { ocspUrl?: string; crlUrl?: string } {
    const { publicUrl } = this.#options;
    if (publicUrl === undefined) return {};
    return {
      ocspUrl: `${publicUrl}/pki/ocsp`,
      crlUrl: `${publicUrl}/pki/${name === 'v2g' ? 'v2g-crl' : 'crl'}`,
    };
  }
}

/** `evander` signs for stations and servers; `v2g` what stations show to vehicles (ISO 15118). */
type AuthorityName = keyof typeof NAMES;

// RSA, because stations that cannot verify ECDSA must be able to trust a server; ISO 15118-2 knows ECDSA only.
const NAMES = {
  evander: { commonName: 'Evander Root CA', keyType: 'rsa' },
  v2g: { commonName: 'Evander V2G Root CA', keyType: 'ec' },
} as const;
