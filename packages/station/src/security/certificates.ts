import type { X509Certificate } from 'node:crypto';
import type { CertificateHashData, Requests, Responses } from '@evander/ocpp';
import { deliver, reportSecurityEvent } from '../connection/deliver.ts';
import type { AnswerHooks, Caller, StationContext } from '../context/station-context.ts';
import { UsageError } from '../options/usage-error.ts';
import { CertificateRequest } from './certificate-request.ts';
import { OwnCertificate } from './own-certificate.ts';
import { RootStore, type Root } from './root-store.ts';
import { isIssuedBy, isSame, isValidNow, readCertificates } from './x509.ts';

/** Parts of the station that certificates use. */
export type CertificatesContext = StationContext & Caller & AnswerHooks;

type RootType = Requests['InstallCertificate']['certificateType'];

const CENTRAL = 'CentralSystemRootCertificate';

/** The station's own key and certificate, and the roots that it trusts (SEC A02 and M03 to M05). */
export class Certificates {
  /** The certificate for profile 3. */
  readonly own: OwnCertificate;
  readonly #station: CertificatesContext;
  readonly #roots = new RootStore<RootType>();
  readonly #request: CertificateRequest<Responses['SignCertificate'] | undefined>;

  constructor(station: CertificatesContext) {
    this.#station = station;
    this.own = new OwnCertificate(station);
    this.#request = new CertificateRequest(station, () =>
      deliver(station, 'SignCertificate', { csr: this.createCsr() }),
    );
  }

  /** Installs the roots and the certificate of `options.tls`; throws UsageError if they are invalid. */
  preset(): void {
    const { ca, cert, key } = this.#station.options.tls ?? {};
    const roots = readCertificates(ca ?? '');
    if (ca !== undefined && roots.length === 0)
      throw new UsageError('tls.ca holds no certificate, or a broken one: give roots in PEM');
    for (const certificate of roots) this.#roots.add({ type: CENTRAL, certificate }, Infinity);
    if (cert !== undefined || key !== undefined) this.own.preset(cert ?? '', key ?? '');
  }

  /** The installed roots. */
  get installed(): readonly Root<RootType>[] {
    return this.#roots.all;
  }

  /** The chain that it would present, as PEM. */
  get chain(): string | undefined {
    return this.own.current?.chain;
  }

  /** The roots for the manager's certificate. */
  get trusted(): X509Certificate[] {
    return this.#roots.ofType(CENTRAL);
  }

  /** A02: sends a CSR with a new key, and repeats it until a certificate arrives, if it has those keys. */
  request(): Promise<Responses['SignCertificate'] | undefined> {
    return this.#request.start();
  }

  createCsr(): string {
    return this.own.createCsr();
  }

  /** Accepts the chain for the last CSR, leaf first; returns its fault if it is not accepted. */
  accept(chain: string): string | undefined {
    const { quirks, options } = this.#station;
    if (quirks.chainMustHoldCa && readCertificates(chain).length < 2) return 'the chain lacks its CA';
    const roots = this.#roots.all.map(({ certificate }) => certificate);
    const isStrict = options.security?.strictChain === true && roots.length > 0;
    const fault = this.own.accept(chain, isStrict || quirks.caMustBeInstalled ? roots : undefined);
    if (fault === undefined) this.#request.end();
    return fault;
  }

  /** M05: rejects an invalid certificate, one without a free place, or one not signed by the root that it must replace. */
  install({
    certificateType: type,
    certificate: pem,
  }: Requests['InstallCertificate']): Responses['InstallCertificate']['status'] {
    const { configuration } = this.#station;
    const [certificate] = readCertificates(pem);
    const fault = !certificate || !isValidNow(certificate) ? 'no valid certificate' : undefined;
    if (!certificate || fault || !this.#mayFollow(type, certificate)) {
      this.#report(fault ?? 'not signed by the root before it');
      return 'Rejected';
    }
    const before = this.trusted.at(-1);
    if (!this.#roots.add({ type, certificate }, configuration.integer('CertificateStoreMaxLength')))
      return 'Rejected';
    if (type === CENTRAL && this.#checksRoots) this.#keepCentral([before, certificate]);
    return 'Accepted';
  }

  /** M05: after a connection with the newest root, the previous one is no longer a fallback. */
  confirm(isInChain: (root: X509Certificate) => boolean): void {
    const newest = this.trusted.at(-1);
    if (newest && this.#checksRoots && isInChain(newest)) this.#keepCentral([newest]);
  }

  /** Identifiers of the roots of a type. */
  list(type: RootType): CertificateHashData[] {
    return this.#roots.all
      .filter((root, at) => root.type === type && !this.#isListedBefore(root, at))
      .map((root) => this.#roots.hashOf(root, this.#station.options.hashAlgorithm ?? 'SHA256'));
  }

  /** M04: fails for the manager's last root while the connection needs one. */
  delete(hash: CertificateHashData): Responses['DeleteCertificate']['status'] {
    const left = this.#roots.without(hash);
    if (left.length === this.#roots.all.length) return 'NotFound';
    const isNeeded = this.#station.configuration.integer('SecurityProfile') >= 2;
    if (isNeeded && !left.some(({ type }) => type === CENTRAL)) return 'Failed';
    this.#roots.keep((root) => left.includes(root));
    return 'Accepted';
  }

  get #checksRoots(): boolean {
    return this.#station.configuration.isTrue('AdditionalRootCertificateCheck');
  }

  /** AdditionalRootCertificateCheck: the manager's new root must be signed by the previous one. */
  #mayFollow(type: RootType, certificate: X509Certificate): boolean {
    if (type !== CENTRAL || !this.#checksRoots) return true;
    const before = this.trusted.at(-1);
    return !before || isIssuedBy(certificate, before);
  }

  #keepCentral(kept: (X509Certificate | undefined)[]): void {
    this.#roots.keep(
      ({ type, certificate }) => type !== CENTRAL || kept.some((one) => one && isSame(one, certificate)),
    );
  }

  /** Quirk 9. */
  #isListedBefore(root: Root<RootType>, at: number): boolean {
    if (!this.#station.quirks.listCertificatesOnce) return false;
    return this.#roots.all.slice(0, at).some(({ certificate }) => isSame(certificate, root.certificate));
  }

  #report(techInfo: string): void {
    const station = this.#station;
    station.afterAnswer(() => reportSecurityEvent(station, 'InvalidCentralSystemCertificate', techInfo));
  }
}
