import {
  Certificate,
  CertificateAuthority,
  OCSP_MALFORMED_REQUEST,
  OCSP_UNAUTHORIZED,
  OCSP_VALID_MS,
  readOcspQuestion,
} from '@evander/pki';
import type { OcspQuestion } from '@evander/pki';
import type { Sealer } from '@evander/process';
import type { Database } from '../database/database.ts';
import * as authorities from './authorities.store.ts';
import * as issuedCertificates from './issued-certificates.store.ts';
import type { Usage } from './issued-certificates.store.ts';
import { SignedAnswers } from './signed-answers.ts';
import { subjectFor } from './signing-request.ts';

const ROOT_DAYS = 20 * 365;
const SERVER_DAYS = 30;
const LIST_MS = 24 * 3_600_000;
/** An answer has about 1 kB; more certificates than this are rarely asked about within half an hour. */
const MAX_OCSP_ANSWERS = 20_000;
const MAX_LISTS = 4;

export interface AuthorityOptions {
  database: Database;
  /** Seals the authority's key in the database. */
  sealer: Sealer;
  /** The O of all subjects. */
  organisation: string;
  /** Validity of station certificates, in days. */
  stationDays: number;
  /** Base URL of the revocation list and the OCSP responder; without it certificates do not name them. */
  publicUrl?: string;
  now(): Date;
}

/**
 * The built-in certificate authority, for stations and for test servers. The first manager that needs it creates its key, which is
 * stored sealed in the database and is unsealed only in the memory of managers.
 */
export class Authority {
  readonly organisation: string;
  readonly #options: AuthorityOptions;
  readonly #loaded = new Map<string, Promise<CertificateAuthority>>();
  // Reused for half of their validity, so clients get answers with at least the other half left.
  readonly #ocspAnswers: SignedAnswers;
  readonly #lists: SignedAnswers;

  constructor(options: AuthorityOptions) {
    this.#options = options;
    this.organisation = options.organisation;
    const { now } = options;
    this.#ocspAnswers = new SignedAnswers({ reuseMs: OCSP_VALID_MS / 2, max: MAX_OCSP_ANSWERS, now });
    this.#lists = new SignedAnswers({ reuseMs: LIST_MS / 2, max: MAX_LISTS, now });
  }

  /** The root certificate, PEM. */
  async rootPem(name: AuthorityName = 'evander'): Promise<string> {
    return (await this.#authority(name)).certificatePem;
  }

  /** Certificates for a server, one for each key type (ocppj.md TLS.4), with their keys. */
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

  /** Issues a certificate for a station's request, which must have been checked. PEM, with the chain up to the root. */
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

  /** The revocation list of an authority, DER (RFC 5280 §5); signed again after each revocation. */
  async revocationList(name: AuthorityName = 'evander'): Promise<Buffer> {
    // Read first, so that the list is never older than its revision.
    const revision = await issuedCertificates.revocationRevision(this.#options.database);
    return this.#lists.get(`${name} ${revision}`, () => this.#signList(name));
  }

  /**
   * Answers an OCSP request, DER (RFC 6960). Answers are signed once per status. Nothing is signed for unknown certificates, so that an
   * attacker cannot cause the cost of signatures.
   */
  async answerOcsp(request: Buffer): Promise<Buffer> {
    const question = readOcspQuestion(request);
    if (!question) return OCSP_MALFORMED_REQUEST;
    for (const name of ['evander', 'v2g'] as const) {
      const authority = await this.#authority(name);
      if (authority.isIssuerOf(question)) return this.#answerAs(name, authority, question);
    }
    return OCSP_UNAUTHORIZED;
  }

  async #answerAs(
    name: AuthorityName,
    authority: CertificateAuthority,
    question: OcspQuestion,
  ): Promise<Buffer> {
    const { database, now } = this.#options;
    const { serialNumber, hashOid, hasNull } = question;
    const issued = await issuedCertificates.status(database, name, serialNumber);
    if (!issued) return OCSP_UNAUTHORIZED;
    const { revokedAt, revocationReason } = issued;
    const reason = revocationReason ?? 'unspecified';
    const status = revokedAt ? { revokedAt, reason } : 'good';
    const key = JSON.stringify([name, serialNumber, hashOid, hasNull, status]);
    return this.#ocspAnswers.get(key, () => authority.answerOcsp(question, { status, at: now() }));
  }

  async #signList(name: AuthorityName): Promise<Buffer> {
    const { database, now } = this.#options;
    const thisUpdate = now();
    // A list that is issued after a certificate has expired still names it (RFC 5280 §3.3).
    const expiredAfter = new Date(thisUpdate.getTime() - LIST_MS);
    const revoked = await issuedCertificates.revoked(database, name, expiredAfter);
    const authority = await this.#authority(name);
    return authority.crl({
      revoked: revoked.map(({ serialNumber, revokedAt, revocationReason }) => ({
        serialNumber,
        revokedAt: revokedAt ?? thisUpdate,
        reason: revocationReason ?? 'unspecified',
      })),
      thisUpdate,
      nextUpdate: new Date(thisUpdate.getTime() + LIST_MS),
    });
  }

  #authority(name: AuthorityName): Promise<CertificateAuthority> {
    const known = this.#loaded.get(name);
    if (known) return known;
    const loading = this.#load(name).catch((error: unknown) => {
      // Retried next time: the database may have been unavailable.
      this.#loaded.delete(name);
      throw error;
    });
    this.#loaded.set(name, loading);
    return loading;
  }

  async #load(name: AuthorityName): Promise<CertificateAuthority> {
    const { database, sealer, now } = this.#options;
    const stored = (await authorities.get(database, name)) ?? (await this.#create(name));
    if (!stored)
      throw new Error(`the authority ${name} was created at ${now().toISOString()} but is missing`);
    return CertificateAuthority.load({ chainPem: stored.chain, keyPem: sealer.open(stored.sealedKey) });
  }

  // Several managers may create one: the first that is stored is used by all.
  async #create(name: AuthorityName): Promise<authorities.StoredAuthority | undefined> {
    const { database, sealer, now, organisation } = this.#options;
    const created = await CertificateAuthority.create({
      commonName: NAMES[name].commonName,
      organisation,
      keyType: NAMES[name].keyType,
      validForDays: ROOT_DAYS,
    });
    const sealedKey = sealer.seal(await created.exportKey());
    await authorities.add(database, name, { chain: created.chainPem, sealedKey, at: now() });
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

/** `evander` signs for stations and servers; `v2g` signs certificates that stations present to vehicles (ISO 15118). */
type AuthorityName = keyof typeof NAMES;

// RSA, because some stations cannot verify ECDSA; ISO 15118-2 supports only ECDSA.
const NAMES = {
  evander: { commonName: 'Evander Root CA', keyType: 'rsa' },
  v2g: { commonName: 'Evander V2G Root CA', keyType: 'ec' },
} as const;
