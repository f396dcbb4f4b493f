import { createPrivateKey, createPublicKey, webcrypto } from 'node:crypto';

export type KeyType = 'rsa' | 'ec';

const { subtle } = webcrypto;

const ALGORITHMS = {
  rsa: {
    name: 'RSASSA-PKCS1-v1_5',
    hash: 'SHA-256',
    modulusLength: 2048,
    publicExponent: new Uint8Array([1, 0, 1]),
  },
  ec: { name: 'ECDSA', namedCurve: 'P-256' },
};
/** For an authority, which lives longer than the certificates it issues. */
const AUTHORITY_RSA_BITS = 3072;

/** The signing algorithm of a key. */
export function signingAlgorithm(key: webcrypto.CryptoKey): webcrypto.EcdsaParams | webcrypto.Algorithm {
  return key.algorithm.name === 'ECDSA' ? { name: 'ECDSA', hash: 'SHA-256' } : { name: 'RSASSA-PKCS1-v1_5' };
}

/** Creates a key pair: RSA with 2048 bits (3072 for an authority) or P-256. */
export function makeKeys(keyType: KeyType, { forAuthority = false } = {}): Promise<webcrypto.CryptoKeyPair> {
  const algorithm = ALGORITHMS[keyType];
  const stronger = keyType === 'rsa' && forAuthority ? { modulusLength: AUTHORITY_RSA_BITS } : {};
  return subtle.generateKey({ ...algorithm, ...stronger } as webcrypto.RsaHashedKeyGenParams, true, [
    'sign',
    'verify',
  ]);
}

/** Exports a private key as PEM (PKCS#8). */
export async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await subtle.exportKey('pkcs8', key));
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
    .export({ format: 'pem', type: 'pkcs8' })
    .toString();
}

/** Imports a key pair from the PEM of its private key. */
export async function importKeys(pem: string): Promise<webcrypto.CryptoKeyPair> {
  const privateKey = createPrivateKey(pem);
  const { namedCurve } = privateKey.asymmetricKeyDetails ?? {};
  const algorithm =
    privateKey.asymmetricKeyType === 'rsa'
      ? { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
      : { name: 'ECDSA', namedCurve: namedCurve === 'secp384r1' ? 'P-384' : 'P-256' };
  const pkcs8 = privateKey.export({ format: 'der', type: 'pkcs8' });
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  return {
    privateKey: await subtle.importKey('pkcs8', pkcs8, algorithm, true, ['sign']),
    publicKey: await subtle.importKey('spki', spki, algorithm, true, ['verify']),
  };
}
