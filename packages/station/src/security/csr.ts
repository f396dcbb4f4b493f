import { sign, type KeyObject } from 'node:crypto';
import { BIT_STRING, CONTEXT_0, der, INTEGER, NULL, objectId, SEQUENCE, SET, UTF8_STRING } from './der.ts';

const COMMON_NAME = '2.5.4.3';
const ORGANIZATION = '2.5.4.10';
const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';
const RSA_WITH_SHA256 = '1.2.840.113549.1.1.11';

/** A certificate signing request (PKCS#10, RFC 2986) as DER, signed with its own key. */
export function createCsr(options: {
  commonName: string;
  organization: string;
  publicKey: KeyObject;
  privateKey: KeyObject;
}): Buffer {
  const { commonName, organization, publicKey, privateKey } = options;
  const info = der(
    SEQUENCE,
    der(INTEGER, Buffer.from([0])),
    der(SEQUENCE, nameEntry(ORGANIZATION, organization), nameEntry(COMMON_NAME, commonName)),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(CONTEXT_0),
  );
  const algorithm =
    publicKey.asymmetricKeyType === 'rsa'
      ? der(SEQUENCE, objectId(RSA_WITH_SHA256), der(NULL))
      : der(SEQUENCE, objectId(ECDSA_WITH_SHA256));
  // A bit string begins with the number of unused bits in its last byte.
  const signature = der(BIT_STRING, Buffer.from([0]), sign('sha256', info, privateKey));
  return der(SEQUENCE, info, algorithm, signature);
}

/** DER as PEM. */
export function toPem(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

function nameEntry(type: string, value: string): Buffer {
  return der(SET, der(SEQUENCE, objectId(type), der(UTF8_STRING, Buffer.from(value))));
}
