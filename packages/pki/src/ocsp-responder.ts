import { createHash, KeyObject, sign } from 'node:crypto';
import type { webcrypto } from 'node:crypto';
import { promisify } from 'node:util';
import type { Certificate } from './certificate.ts';
import {
  bitString,
  childAt,
  childrenOf,
  der,
  generalizedTime,
  oid,
  oidOf,
  readDer,
  sequence,
  TAG,
} from './der.ts';
import { certId, HASH_OIDS, OID, STATUS_TAG } from './ocsp.ts';
import type { CertId } from './ocsp.ts';
import { serialKey, x509 } from './x509.ts';

export type CertificateStatus = 'good' | { revokedAt: Date; reason: string };

/** The certificate that an OCSP request is about; the answer repeats it. Its serial number has no leading zeros. */
export type OcspQuestion = CertId;

/** Hash algorithms of a CertID. */
const HASHES: Partial<Record<string, string>> = {
  '1.3.14.3.2.26': 'sha1',
  [HASH_OIDS.SHA256]: 'sha256',
  [HASH_OIDS.SHA384]: 'sha384',
  [HASH_OIDS.SHA512]: 'sha512',
};
const SUCCESSFUL = 0;
const signed = promisify(sign);

/** Validity of an answer, in ms. */
export const OCSP_VALID_MS = 3_600_000;
/** OCSPResponses without a signature (RFC 6960 §4.2.1), DER. */
export const OCSP_MALFORMED_REQUEST = Buffer.from('30030a0101', 'hex');
/** The certificate is unknown or from another authority (RFC 5019 §2.2.3). */
export const OCSP_UNAUTHORIZED = Buffer.from('30030a0106', 'hex');

/**
 * Parses a DER request for one certificate as in RFC 5019 §2.1.1; undefined if it is invalid. Its nonce and signature are ignored: an
 * answer is signed once and is the same for all clients.
 */
export function readOcspQuestion(request: Buffer): OcspQuestion | undefined {
  try {
    const [tbsRequest] = childrenOf(readDer(request));
    const list = tbsRequest && childrenOf(tbsRequest).find(({ tag }) => tag === TAG.sequence);
    const [one, ...others] = list ? childrenOf(list) : [];
    if (!one || others.length > 0) return undefined;
    const certId = childAt(one, 0, TAG.sequence);
    const [algorithm, parameters, ...more] = childrenOf(childAt(certId, 0, TAG.sequence));
    if (algorithm?.tag !== TAG.oid || more.length > 0) return undefined;
    if (parameters && (parameters.tag !== TAG.null || parameters.content.length > 0)) return undefined;
    return {
      hashOid: oidOf(algorithm),
      hasNull: parameters !== undefined,
      issuerNameHash: childAt(certId, 1, TAG.octetString).content.toString('hex'),
      issuerKeyHash: childAt(certId, 2, TAG.octetString).content.toString('hex'),
      serialNumber: serialKey(childAt(certId, 3, TAG.integer).content.toString('hex')),
    };
  } catch {
    // Not DER, or not a supported request; no details are needed.
    return undefined;
  }
}

/** Whether a question is about a certificate of this issuer. */
export function isIssuerOf(
  { hashOid, issuerNameHash, issuerKeyHash }: OcspQuestion,
  issuer: Certificate,
): boolean {
  const algorithm = HASHES[hashOid];
  if (algorithm === undefined) return false;
  const hash = (bytes: Buffer): string => createHash(algorithm).update(bytes).digest('hex');
  return hash(issuer.keyBits) === issuerKeyHash && hash(issuer.subjectDer) === issuerNameHash;
}

/** Answers a question, signed by the authority that issued the certificate; OCSPResponse in DER. */
export async function answerOcsp(
  question: OcspQuestion,
  {
    status,
    at,
    certificate,
    key,
  }: { status: CertificateStatus; at: Date; certificate: Certificate; key: webcrypto.CryptoKey },
): Promise<Buffer> {
  const nextUpdate = generalizedTime(new Date(at.getTime() + OCSP_VALID_MS));
  const single = sequence(
    certId(question),
    statusOf(status),
    generalizedTime(at), // thisUpdate
    der(TAG.explicit0, nextUpdate),
  );
  const responseData = sequence(
    der(TAG.explicit1, certificate.subjectDer), // responderID by name
    generalizedTime(at), // producedAt
    sequence(single),
  );
  const signature = await signed('sha256', responseData, KeyObject.from(key));
  const basic = sequence(responseData, signatureAlgorithm(key), bitString(signature));
  return sequence(
    der(TAG.enumerated, Buffer.from([SUCCESSFUL])),
    der(TAG.explicit0, sequence(oid(OID.basicResponse), der(TAG.octetString, basic))),
  );
}

// RSA has parameters, and they are NULL (RFC 4055 §5); ECDSA has none (RFC 5758 §3.2).
function signatureAlgorithm({ algorithm }: webcrypto.CryptoKey): Buffer {
  return algorithm.name === 'ECDSA'
    ? sequence(oid('1.2.840.10045.4.3.2'))
    : sequence(oid('1.2.840.113549.1.1.11'), der(TAG.null));
}

function statusOf(status: CertificateStatus): Buffer {
  if (status === 'good') return der(STATUS_TAG.good);
  const reason = x509.X509CrlReason[status.reason as keyof typeof x509.X509CrlReason] ?? 0;
  return der(
    STATUS_TAG.revoked,
    generalizedTime(status.revokedAt),
    der(TAG.explicit0, der(TAG.enumerated, Buffer.from([reason]))),
  );
}
