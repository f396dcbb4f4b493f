import { createPublicKey, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { childAt, oid, oidOf, sequence, TAG } from './der.ts';
import type { Der } from './der.ts';

/** How each algorithm hashes; null where it does so by itself. SHA-1 is not among them. */
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
const BY_CURVE: Partial<Record<string, [string, string]>> = {
  prime256v1: ['1.2.840.10045.4.3.2', 'sha256'],
  secp384r1: ['1.2.840.10045.4.3.3', 'sha384'],
  secp521r1: ['1.2.840.10045.4.3.4', 'sha512'],
};

/** Is this the signature of the key over the bytes? False too for an algorithm that we do not take. */
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
    return false; // the key is of another kind than the algorithm
  }
}

/** Signs bytes by the algorithm that suits the key: that algorithm in DER, and the signature. */
export function signWith(key: KeyObject, bytes: Buffer): { algorithm: Buffer; signature: Buffer } {
  const [name, digest] = algorithmFor(key);
  const parameters = key.asymmetricKeyType === 'rsa' ? [Buffer.from([TAG.null, 0])] : [];
  return { algorithm: sequence(oid(name), ...parameters), signature: sign(digest, bytes, key) };
}

/** The identifier of the algorithm in DER, which is part of what is signed. */
export function algorithmOf(key: KeyObject): Buffer {
  return signWith(key, Buffer.alloc(0)).algorithm;
}

/** A public key from its SubjectPublicKeyInfo; throws when it is none. */
export function keyOf(spki: Buffer): KeyObject {
  return createPublicKey({ key: spki, format: 'der', type: 'spki' });
}

function algorithmFor(key: KeyObject): [string, string | null] {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === 'rsa') return ['1.2.840.113549.1.1.11', 'sha256'];
  if (type === 'ed25519') return ['1.3.101.112', null];
  if (type === 'ed448') return ['1.3.101.113', null];
  const known = BY_CURVE[details?.namedCurve ?? ''];
  if (!known)
    throw new Error(
      `a key of type ${type ?? 'unknown'} cannot sign; use EC P-256 to P-521, Ed25519, Ed448 or RSA`,
    );
  return known;
}
