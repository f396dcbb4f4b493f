import type { X509Certificate } from 'node:crypto';
import type { CertificateHashData } from '@evander/ocpp';
import { certificateHash, isSameHash } from './certificate-hash.ts';
import { isSame } from './x509.ts';

/** A certificate and its purpose. */
export type Root<T extends string> = { type: T; certificate: X509Certificate };

/** A list of typed roots: the native ones (SEC M03 to M05), or those for Plug & Charge. */
export class RootStore<T extends string> {
  #roots: readonly Root<T>[] = [];

  get all(): readonly Root<T>[] {
    return this.#roots;
  }

  ofType(type: T): X509Certificate[] {
    return this.#roots.filter((root) => root.type === type).map(({ certificate }) => certificate);
  }

  /** Adds a root once; false if the store is full. */
  add(root: Root<T>, maxLength: number): boolean {
    const others = this.#roots.filter(
      ({ type, certificate }) => type !== root.type || !isSame(certificate, root.certificate),
    );
    if (others.length >= maxLength) return false;
    this.#roots = [...others, root];
    return true;
  }

  /** Keeps only these. */
  keep(isKept: (root: Root<T>) => boolean): void {
    this.#roots = this.#roots.filter(isKept);
  }

  /** The roots that the hash does not identify. */
  without(hash: CertificateHashData): Root<T>[] {
    return this.#roots.filter((root) => !isSameHash(this.hashOf(root, hash.hashAlgorithm), hash));
  }

  /** The identifier of a root; its issuer is another root, or itself. */
  hashOf({ certificate }: Root<T>, algorithm: CertificateHashData['hashAlgorithm']): CertificateHashData {
    const issuer = this.#roots.find((one) => certificate.checkIssued(one.certificate));
    return certificateHash(certificate, issuer?.certificate ?? certificate, algorithm);
  }
}
