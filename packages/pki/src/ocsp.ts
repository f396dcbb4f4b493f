import * as pkijs from 'pkijs';
import { webcrypto } from 'node:crypto';

pkijs.setEngine('node', new pkijs.CryptoEngine({ name: 'node', crypto: webcrypto }));

export { pkijs };

export const OID = {
  nonce: '1.3.6.1.5.5.7.48.1.2',
  basicResponse: '1.3.6.1.5.5.7.48.1.1',
  ocspSigning: '1.3.6.1.5.5.7.3.9',
} as const;

/** The hashes that a CertID may be made with. */
export const HASHES: Record<string, string> = {
  '1.3.14.3.2.26': 'sha1',
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};

/** The hash that a signature was made with, by the OID of its algorithm; none that is broken. */
export const SIGNATURE_HASHES: Record<string, string> = {
  '1.2.840.113549.1.1.11': 'sha256',
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
  '1.2.840.10045.4.3.2': 'sha256',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
};

export function hexOf(bytes: ArrayBuffer): string {
  return Buffer.from(bytes).toString('hex');
}

/** The bytes of a buffer alone, as the ASN.1 library wants them. */
export function arrayOf(bytes: Buffer): ArrayBuffer {
  return Uint8Array.from(bytes).buffer;
}

/** A serial number as we write it: hex, without leading zeros. */
export function serialOf(bytes: ArrayBuffer): string {
  return hexOf(bytes).replace(/^0+(?=.)/, '');
}
