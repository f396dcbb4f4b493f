import * as asn1js from 'asn1js';
import { createHash } from 'node:crypto';
import type { webcrypto } from 'node:crypto';
import type { Certificate } from './certificate.ts';
import { childAt, childrenOf, oidOf, readDer, TAG } from './der.ts';
import { arrayOf, HASHES, OID, pkijs } from './ocsp.ts';
import { x509 } from './x509.ts';

export type CertificateStatus = 'good' | { revokedAt: Date; reason: string };

/** The certificate that an OCSP request is about (RFC 6960 §4.1.1); hashes and serial number in hex. */
export interface OcspQuestion {
  /** OID of the hash, and whether NULL follows it: the answer repeats both. */
  hashOid: string;
  hasNull: boolean;
  issuerNameHash: string;
  issuerKeyHash: string;
  /** Without leading zeros. */
  serialNumber: string;
}

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
      serialNumber: childAt(certId, 3, TAG.integer)
        .content.toString('hex')
        .replace(/^0+(?=.)/, ''),
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
  const basic = new pkijs.BasicOCSPResponse();
  const data = basic.tbsResponseData;
  data.responderID = pkijs.Certificate.fromBER(arrayOf(certificate.der)).subject;
  data.producedAt = wholeSecond(at);
  const single = new pkijs.SingleResponse({
    certID: certIdOf(question),
    thisUpdate: data.producedAt,
    nextUpdate: new Date(data.producedAt.getTime() + OCSP_VALID_MS),
  });
  single.certStatus = statusBlock(status);
  data.responses.push(single);
  await basic.sign(key, 'SHA-256');
  const response = new pkijs.OCSPResponse({
    responseStatus: new asn1js.Enumerated({ value: 0 }),
    responseBytes: new pkijs.ResponseBytes({
      responseType: OID.basicResponse,
      response: new asn1js.OctetString({ valueHex: basic.toSchema().toBER(false) }),
    }),
  });
  return Buffer.from(response.toSchema().toBER(false));
}

function certIdOf({
  hashOid,
  hasNull,
  issuerNameHash,
  issuerKeyHash,
  serialNumber,
}: OcspQuestion): pkijs.CertID {
  return new pkijs.CertID({
    hashAlgorithm: new pkijs.AlgorithmIdentifier({
      algorithmId: hashOid,
      ...(hasNull && { algorithmParams: new asn1js.Null() }),
    }),
    issuerNameHash: new asn1js.OctetString({ valueHex: bytesOf(issuerNameHash) }),
    issuerKeyHash: new asn1js.OctetString({ valueHex: bytesOf(issuerKeyHash) }),
    serialNumber: new asn1js.Integer({ valueHex: bytesOf(positive(serialNumber)) }),
  });
}

function bytesOf(hex: string): ArrayBuffer {
  return arrayOf(Buffer.from(hex, 'hex'));
}

/** Whole bytes, the first below 0x80. */
function positive(hex: string): string {
  const whole = hex.length % 2 === 0 ? hex : `0${hex}`;
  return parseInt(whole.slice(0, 2), 16) < 0x80 ? whole : `00${whole}`;
}

// CertStatus: [0] good, [1] revoked with time and reason.
function statusBlock(status: CertificateStatus): asn1js.BaseBlock {
  if (status === 'good')
    return new asn1js.Primitive({ idBlock: { tagClass: 3, tagNumber: 0 }, lenBlock: { length: 1 } });
  const reason = x509.X509CrlReason[status.reason as keyof typeof x509.X509CrlReason] ?? 0;
  return new asn1js.Constructed({
    idBlock: { tagClass: 3, tagNumber: 1 },
    value: [
      new asn1js.GeneralizedTime({ valueDate: wholeSecond(status.revokedAt) }),
      new asn1js.Constructed({
        idBlock: { tagClass: 3, tagNumber: 0 },
        value: [new asn1js.Enumerated({ value: reason })],
      }),
    ],
  });
}

// Certificate times have no fractions (RFC 5280 §4.1.2.5.2).
function wholeSecond(time: Date): Date {
  return new Date(Math.floor(time.getTime() / 1000) * 1000);
}
