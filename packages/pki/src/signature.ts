import { verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { childAt, oidOf, TAG } from './der.ts';
import type { Der } from './der.ts';

/** The hash of each algorithm; null if the algorithm includes it. SHA-1 is not supported. */
const DIGESTS: Partial<Record<string, string | null>> = {
  '1.2.840.10045.4.3.2': 'sha256',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
  '1.2.840.113549.1.1.11': 'sha256',
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
  '1.3.101.112': null,
  '1.3.101.113': null,
};

/** Whether this is the key's signature over the bytes; false for unsupported algorithms. */
export function isSignature(
  { algorithm, signature }: { algorithm: Der; signature: Buffer },
  signed: Buffer,
  key: KeyObject,
): boolean {
  const digest = DIGESTS[oidOf(childAt(algorithm, 0, TAG.oid))];
  if (digest === undefined) return false;
  try {
    return verify(digest, signed, key, signature);
  } catch {
    return false; // the key does not suit the algorithm
  }
}
