import { createPrivateKey, generateKeyPairSync, type KeyObject, type X509Certificate } from 'node:crypto';
import type { StationContext } from '../context/station-context.ts';
import { serialNumberOf } from '../options/station-options.ts';
import { UsageError } from '../options/usage-error.ts';
import { createCsr, toPem } from './csr.ts';
import { isIssuedBy, isSame, isValidNow, readCertificates } from './x509.ts';

type KeyPair = { publicKey: KeyObject; privateKey: KeyObject };
type Held = { chain: string; certificates: X509Certificate[]; privateKey: KeyObject };

/** A key of the station with its certificate, and the process to get the next one (SEC A02, PNC §3.1). */
export class OwnCertificate {
  readonly #station: StationContext;
  readonly #isForCars: boolean;
  /** The key of the last CSR, for which a certificate may arrive. */
  #requested: KeyPair | undefined;
  #newest: Held | undefined;
  #previous: Held | undefined;
  #usesPrevious = false;

  /** Cars support only EC keys; the manager supports both types. */
  constructor(station: StationContext, options: { isForCars: boolean } = { isForCars: false }) {
    this.#station = station;
    this.#isForCars = options.isForCars;
  }

  /** The one in use: the newest, unless it does not work. */
  get current(): Held | undefined {
    return this.#usesPrevious ? this.#previous : this.#newest;
  }

  /** Sets an initial one, in PEM; throws UsageError if the key does not match. */
  preset(chain: string, key: string): void {
    const certificates = readCertificates(chain);
    const privateKey = readKey(key);
    if (!privateKey || !certificates[0]?.checkPrivateKey(privateKey))
      throw new UsageError(
        'tls.cert and tls.key do not fit: give the PEM of a certificate and that of its own key',
      );
    this.#newest = { chain, certificates, privateKey };
  }

  /** Switches to the other one of the last two, if there is one. */
  swap(): void {
    if (this.#previous) this.#usesPrevious = !this.#usesPrevious;
  }

  /** Uses the newest again. */
  useNewest(): void {
    this.#usesPrevious = false;
  }

  /** Removes it. */
  forget(): void {
    this.#newest = this.#previous = undefined;
  }

  /** Creates a new key and a CSR for it, in PEM: O is CpoName, CN the serial number. */
  createCsr(): string {
    const { options, configuration, quirks } = this.#station;
    this.#requested =
      options.keyType === 'rsa' && !this.#isForCars
        ? generateKeyPairSync('rsa', { modulusLength: 2048 })
        : generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const csr = createCsr({
      ...this.#requested,
      commonName: serialNumberOf(options),
      organization: configuration.find('CpoName')?.value ?? '',
    });
    return quirks.csrWithoutPem ? csr.toString('base64') : toPem('CERTIFICATE REQUEST', csr);
  }

  /** Accepts the chain for the last CSR, leaf first, and keeps the previous one; returns its fault if it is not accepted. */
  accept(chain: string, roots?: readonly X509Certificate[]): string | undefined {
    const certificates = readCertificates(chain);
    const fault = this.#faultOf(chain, certificates, roots);
    if (fault !== undefined || !this.#requested) return fault;
    this.#previous = this.#newest;
    this.#newest = { chain, certificates, privateKey: this.#requested.privateKey };
    this.#usesPrevious = false;
    this.#requested = undefined;
    return undefined;
  }

  #faultOf(
    chain: string,
    certificates: X509Certificate[],
    roots: readonly X509Certificate[] | undefined,
  ): string | undefined {
    const maxLength = this.#station.configuration.integer('CertificateSignedMaxChainSize');
    const [leaf] = certificates;
    const last = certificates.at(-1);
    if (!this.#requested) return 'no certificate was asked for';
    if (chain.length > maxLength) return `the chain is longer than ${maxLength} characters`;
    if (!leaf || !last) return 'there is no certificate in it';
    if (!leaf.checkPrivateKey(this.#requested.privateKey)) return 'the first key is not that of the CSR';
    if (!certificates.every(isValidNow)) return 'a certificate is not valid now';
    if (!certificates.every((one, at) => at === 0 || isLink(certificates[at - 1], one)))
      return 'a certificate is not followed by its issuer';
    if (roots && !roots.some((root) => isSame(root, last) || isIssuedBy(last, root)))
      return 'the chain leads to no root that is installed';
    return undefined;
  }
}

function readKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}

function isLink(certificate: X509Certificate | undefined, issuer: X509Certificate): boolean {
  return certificate !== undefined && isIssuedBy(certificate, issuer);
}
