import type { HashAlgorithm } from './certificate.ts';
import { der, integer, oid, sequence, TAG } from './der.ts';

export const OID = {
  nonce: '1.3.6.1.5.5.7.48.1.2',
  basicResponse: '1.3.6.1.5.5.7.48.1.1',
  ocspSigning: '1.3.6.1.5.5.7.3.9',
} as const;

/** Hash algorithms of stations' CertIDs. */
export const HASH_OIDS: Record<HashAlgorithm, string> = {
  SHA256: '2.16.840.1.101.3.4.2.1',
  SHA384: '2.16.840.1.101.3.4.2.2',
  SHA512: '2.16.840.1.101.3.4.2.3',
};

/** Tags of CertStatus; all others mean `unknown`. */
export const STATUS_TAG = { good: 0x80, revoked: 0xa1 } as const;

/** Identifies a certificate in OCSP (RFC 6960 §4.1.1); hashes and serial number in hex. */
export interface CertId {
  hashOid: string;
  /** Whether NULL follows the OID. */
  hasNull: boolean;
  issuerNameHash: string;
  issuerKeyHash: string;
  serialNumber: string;
}

export function certId({ hashOid, hasNull, issuerNameHash, issuerKeyHash, serialNumber }: CertId): Buffer {
  const algorithm = sequence(oid(hashOid), ...(hasNull ? [der(TAG.null)] : []));
  const hashes = [issuerNameHash, issuerKeyHash].map((hex) => der(TAG.octetString, Buffer.from(hex, 'hex')));
  return sequence(algorithm, ...hashes, integer(serialNumber));
}
