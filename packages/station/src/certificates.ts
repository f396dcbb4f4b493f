import { generateKeyPairSync, X509Certificate, type KeyObject } from 'node:crypto';
import type { ConnectionOptions as TlsOptions } from 'node:tls';
import type { CertificateHashData, Requests, Responses } from '@evander/ocpp';
import { certificateHash, isSameHash } from './certificate-hash.ts';
import { createCsr, toPem } from './csr.ts';
import { reportSecurityEvent } from './deliver.ts';
import type { Station } from './station.ts';
import { bootRequest } from './station-options.ts';

type RootType = Requests['InstallCertificate']['certificateType'];
type Root = { type: RootType; certificate: X509Certificate };
type KeyPair = { publicKey: KeyObject; privateKey: KeyObject };

const CENTRAL = 'CentralSystemRootCertificate';
const PEM_BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The station's own key and certificate, and the roots that it trusts (SEC A02 and M03 to M05). */
export class Certificates {
  readonly #station: Station;
  #roots: Root[] = [];
  /** The key of the last CSR; a certificate may come for it. */
  #requested: KeyPair | undefined;
  #own: { chain: string; privateKey: KeyObject } | undefined;

  constructor(station: Station) {
    this.#station = station;
  }

  /** The roots that are installed. */
  get installed(): readonly Root[] {
    return this.#roots;
  }

  /** The chain that CertificateSigned brought last, as PEM. */
  get chain(): string | undefined {
    return this.#own?.chain;
  }

  /** A new key and a CSR for it: O is CpoName, CN the serial number. */
  createCsr(): string {
    const { options, configuration, quirks } = this.#station;
    this.#requested =
      options.keyType === 'rsa'
        ? generateKeyPairSync('rsa', { modulusLength: 2048 })
        : generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const csr = createCsr({
      ...this.#requested,
      commonName: bootRequest(this.#station).chargePointSerialNumber ?? this.#station.stationId,
      organization: configuration.find('CpoName')?.value ?? '',
    });
    return quirks.csrWithoutPem ? csr.toString('base64') : toPem('CERTIFICATE REQUEST', csr);
  }

  /** Takes the chain for the last CSR, leaf first; false where it is none. */
  accept(chain: string): boolean {
    const { configuration, quirks } = this.#station;
    const maxLength = configuration.integer('CertificateSignedMaxChainSize');
    const certificates = readCertificates(chain);
    const [leaf, issuer] = certificates;
    if (!this.#requested || !leaf || chain.length > maxLength) return false;
    if (!leaf.checkPrivateKey(this.#requested.privateKey) || !isValidNow(leaf)) return false;
    if (!certificates.every((one, at) => at === 0 || certificates[at - 1]?.verify(one.publicKey)))
      return false;
    if (quirks.chainMustHoldCa && !issuer) return false;
    if (quirks.caMustBeInstalled && !this.#hasRootOf(certificates.at(-1) ?? leaf)) return false;
    this.#own = { chain, privateKey: this.#requested.privateKey };
    this.#requested = undefined;
    return true;
  }

  /** M05: Rejected is what is no certificate, or finds no place, or is not signed by the root it shall replace. */
  install({
    certificateType: type,
    certificate: pem,
  }: Requests['InstallCertificate']): Responses['InstallCertificate']['status'] {
    const { configuration } = this.#station;
    const [certificate] = readCertificates(pem);
    if (!certificate || !isValidNow(certificate) || !this.#mayFollow(type, certificate)) {
      this.#station.afterAnswer(() => reportSecurityEvent(this.#station, 'InvalidCentralSystemCertificate'));
      return 'Rejected';
    }
    const others = this.#roots.filter((one) => one.type !== type || !isSame(one.certificate, certificate));
    if (others.length >= configuration.integer('CertificateStoreMaxLength')) return 'Rejected';
    this.#roots = [...others, { type, certificate }];
    return 'Accepted';
  }

  /** What names the roots of a type. */
  list(type: RootType): CertificateHashData[] {
    return this.#roots
      .filter((root, at) => root.type === type && !this.#isListedBefore(root, at))
      .map((root) => this.#hashOf(root, this.#station.options.hashAlgorithm ?? 'SHA256'));
  }

  /** M04: Failed is the last root of the manager's, while the connection needs one. */
  delete(hash: CertificateHashData): Responses['DeleteCertificate']['status'] {
    const left = this.#roots.filter((root) => !isSameHash(this.#hashOf(root, hash.hashAlgorithm), hash));
    if (left.length === this.#roots.length) return 'NotFound';
    const isNeeded = this.#station.configuration.integer('SecurityProfile') >= 2;
    if (isNeeded && !left.some(({ type }) => type === CENTRAL)) return 'Failed';
    this.#roots = left;
    return 'Accepted';
  }

  /** With these the station connects: its own certificate in profile 3, and what it trusts besides. */
  tlsOptions(options: TlsOptions | undefined): TlsOptions | undefined {
    const isProfile3 = this.#station.configuration.integer('SecurityProfile') === 3 || options?.cert;
    const own = isProfile3 && this.#own;
    const roots = this.#roots.filter(({ type }) => type === CENTRAL);
    return {
      ...options,
      ...(options?.ca && {
        ca: [options.ca, roots.map(({ certificate }) => certificate.toString())].flat(2),
      }),
      ...(own && { cert: own.chain, key: own.privateKey.export({ type: 'pkcs8', format: 'pem' }) }),
    };
  }

  #hasRootOf(certificate: X509Certificate): boolean {
    return this.#roots.some(
      (root) => isSame(root.certificate, certificate) || certificate.verify(root.certificate.publicKey),
    );
  }

  /** AdditionalRootCertificateCheck: the manager's new root is signed by the one before it. */
  #mayFollow(type: RootType, certificate: X509Certificate): boolean {
    if (type !== CENTRAL || !this.#station.configuration.isTrue('AdditionalRootCertificateCheck'))
      return true;
    const before = this.#roots.filter((one) => one.type === CENTRAL).at(-1);
    return !before || certificate.verify(before.certificate.publicKey);
  }

  /** Quirk 9. */
  #isListedBefore(root: Root, at: number): boolean {
    if (!this.#station.quirks.listCertificatesOnce) return false;
    return this.#roots.slice(0, at).some(({ certificate }) => isSame(certificate, root.certificate));
  }

  #hashOf({ certificate }: Root, algorithm: CertificateHashData['hashAlgorithm']): CertificateHashData {
    const issuer = this.#roots.find((one) => certificate.checkIssued(one.certificate));
    return certificateHash(certificate, issuer?.certificate ?? certificate, algorithm);
  }
}

function readCertificates(pem: string): X509Certificate[] {
  try {
    return (pem.match(PEM_BLOCK) ?? []).map((block) => new X509Certificate(block));
  } catch {
    return [];
  }
}

function isValidNow({ validFrom, validTo }: X509Certificate): boolean {
  return Date.parse(validFrom) <= Date.now() && Date.now() < Date.parse(validTo);
}

function isSame(left: X509Certificate, right: X509Certificate): boolean {
  return left.fingerprint256 === right.fingerprint256;
}
