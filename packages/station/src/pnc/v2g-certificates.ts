import type { X509Certificate } from 'node:crypto';
import type { CertificateHashData } from '@evander/ocpp';
import type { StationContext } from '../context/station-context.ts';
import { certificateHash, isSameHash } from '../security/certificate-hash.ts';
import { OwnCertificate } from '../security/own-certificate.ts';
import { RootStore } from '../security/root-store.ts';
import { isIssuedBy, isValidNow, readCertificates } from '../security/x509.ts';

/** Types of roots that exist only in Plug & Charge. */
export type V2gRootType = 'V2GRootCertificate' | 'MORootCertificate';

/** Identifies a root, or the chain for cars. */
export type HashDataChain = {
  certificateType: V2gRootType | 'V2GCertificateChain';
  certificateHashData: CertificateHashData;
  childCertificateHashData?: CertificateHashData[];
};

/** The certificate for cars, and the roots for cars and contracts; separate from the native ones (PNC §2.3). */
export class V2gCertificates {
  readonly own: OwnCertificate;
  readonly #station: StationContext;
  readonly #roots = new RootStore<V2gRootType>();

  constructor(station: StationContext) {
    this.#station = station;
    this.own = new OwnCertificate(station, { isForCars: true });
  }

  /** Accepts the chain for the last CSR, leaf first; returns its fault if it is not accepted. */
  accept(chain: string): string | undefined {
    const roots = this.#roots.ofType('V2GRootCertificate');
    const isStrict = this.#station.options.security?.strictChain === true && roots.length > 0;
    return this.own.accept(chain, isStrict ? roots : undefined);
  }

  /** PNC §4.1: rejects an invalid certificate, or one without a free place. */
  install(type: V2gRootType, pem: string): 'Accepted' | 'Rejected' {
    const [certificate] = readCertificates(pem);
    const maxLength = this.#station.configuration.integer('CertificateStoreMaxLength');
    const isGood = certificate && isValidNow(certificate);
    return isGood && this.#roots.add({ type, certificate }, maxLength) ? 'Accepted' : 'Rejected';
  }

  /** Lists all of these types; a certificate with an unknown issuer has no hashes to identify it. */
  list(types: readonly HashDataChain['certificateType'][]): HashDataChain[] {
    const algorithm = this.#station.options.hashAlgorithm ?? 'SHA256';
    const roots = this.#roots.all
      .filter(({ type }) => types.includes(type))
      .map((root) => ({
        certificateType: root.type,
        certificateHashData: this.#roots.hashOf(root, algorithm),
      }));
    if (!types.includes('V2GCertificateChain')) return roots;
    const [leaf, ...children] = this.#hashesOfChain(algorithm);
    if (!leaf) return roots;
    const chain = { certificateType: 'V2GCertificateChain', certificateHashData: leaf } as const;
    return [...roots, { ...chain, ...(children.length > 0 && { childCertificateHashData: children }) }];
  }

  /** PNC §4.2: deletes by the hash of a root, or of the leaf for cars. */
  delete(hash: CertificateHashData): 'Accepted' | 'NotFound' {
    const left = this.#roots.without(hash);
    const [leaf] = this.#hashesOfChain(hash.hashAlgorithm);
    const isLeaf = leaf !== undefined && isSameHash(leaf, hash);
    if (left.length === this.#roots.all.length && !isLeaf) return 'NotFound';
    this.#roots.keep((root) => left.includes(root));
    if (isLeaf) this.own.forget();
    return 'Accepted';
  }

  /** Leaf first, up to the first certificate whose issuer is unknown. */
  #hashesOfChain(algorithm: CertificateHashData['hashAlgorithm']): CertificateHashData[] {
    const hashes: CertificateHashData[] = [];
    const { certificates = [] } = this.own.current ?? {};
    for (const [at, certificate] of certificates.entries()) {
      const issuer = certificates[at + 1] ?? this.#rootOf(certificate);
      if (!issuer) break;
      hashes.push(certificateHash(certificate, issuer, algorithm));
    }
    return hashes;
  }

  #rootOf(certificate: X509Certificate): X509Certificate | undefined {
    return this.#roots.all.find((root) => isIssuedBy(certificate, root.certificate))?.certificate;
  }
}
