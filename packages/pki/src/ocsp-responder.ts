import * as asn1js from 'asn1js';
import { createHash } from 'node:crypto';
import type { webcrypto } from 'node:crypto';
import type { Certificate } from './certificate.ts';
import { arrayOf, hexOf, HASHES, OID, pkijs, serialOf } from './ocsp.ts';
import { x509 } from './x509.ts';

export type CertificateStatus = 'good' | 'unknown' | { revokedAt: Date; reason: string };

export interface ResponderOptions {
  /** The authority that answers for itself. */
  certificate: Certificate;
  key: webcrypto.CryptoKey;
  statusOf(serialNumber: string): Promise<CertificateStatus>;
}

/** How long an answer counts. */
const VALID_MS = 3_600_000;
/** More in one question is nobody's honest need. */
const MOST_QUESTIONS = 20;
/** OCSPResponseStatus (RFC 6960 §4.2.1). */
const STATUS = { successful: 0, malformedRequest: 1, internalError: 2, unauthorized: 6 };

/** Answers an OCSP question about certificates of one authority, DER in and out. */
export async function answerOcsp(question: Buffer, options: ResponderOptions): Promise<Buffer> {
  const request = read(question);
  if (!request) return failed(STATUS.malformedRequest);
  const ids = request.tbsRequest.requestList.map(({ reqCert }) => reqCert);
  if (ids.length === 0 || ids.length > MOST_QUESTIONS) return failed(STATUS.malformedRequest);
  // We answer for ourselves only.
  if (!ids.every((id) => isOurs(id, options.certificate))) return failed(STATUS.unauthorized);
  const basic = new pkijs.BasicOCSPResponse();
  const data = basic.tbsResponseData;
  const issuer = pkijs.Certificate.fromBER(arrayOf(options.certificate.der));
  data.responderID = issuer.subject;
  data.producedAt = wholeSecond(new Date());
  for (const id of ids) data.responses.push(await singleResponse(id, options));
  const nonce = request.tbsRequest.requestExtensions?.find(({ extnID }) => extnID === OID.nonce);
  if (nonce) data.responseExtensions = [nonce];
  await basic.sign(options.key, 'SHA-256');
  return wrap(basic);
}

function read(question: Buffer): pkijs.OCSPRequest | undefined {
  try {
    return pkijs.OCSPRequest.fromBER(arrayOf(question));
  } catch {
    // Whatever came is no question; there is nothing else to say of it.
    return undefined;
  }
}

function isOurs(id: pkijs.CertID, authority: Certificate): boolean {
  const algorithm = HASHES[id.hashAlgorithm.algorithmId];
  if (algorithm === undefined) return false;
  const hash = createHash(algorithm).update(authority.keyBits).digest('hex');
  return hexOf(id.issuerKeyHash.valueBlock.valueHexView.slice().buffer) === hash;
}

async function singleResponse(
  id: pkijs.CertID,
  { statusOf }: ResponderOptions,
): Promise<pkijs.SingleResponse> {
  const status = await statusOf(serialOf(id.serialNumber.valueBlock.valueHexView.slice().buffer));
  const now = wholeSecond(new Date());
  const single = new pkijs.SingleResponse({
    certID: id,
    thisUpdate: now,
    nextUpdate: new Date(now.getTime() + VALID_MS),
  });
  single.certStatus = statusBlock(status);
  return single;
}

// CertStatus: [0] good, [1] revoked with time and reason, [2] unknown.
function statusBlock(status: CertificateStatus): asn1js.BaseBlock {
  if (typeof status === 'string') {
    const idBlock = { tagClass: 3, tagNumber: status === 'good' ? 0 : 2 };
    return new asn1js.Primitive({ idBlock, lenBlock: { length: 1 } });
  }
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

// Fractions do not belong into times of certificates (RFC 5280 §4.1.2.5.2).
function wholeSecond(time: Date): Date {
  return new Date(Math.floor(time.getTime() / 1000) * 1000);
}

function wrap(basic: pkijs.BasicOCSPResponse): Buffer {
  const response = new pkijs.OCSPResponse({
    responseStatus: new asn1js.Enumerated({ value: STATUS.successful }),
    responseBytes: new pkijs.ResponseBytes({
      responseType: OID.basicResponse,
      response: new asn1js.OctetString({ valueHex: basic.toSchema().toBER(false) }),
    }),
  });
  return Buffer.from(response.toSchema().toBER(false));
}

function failed(status: number): Buffer {
  const response = new pkijs.OCSPResponse({ responseStatus: new asn1js.Enumerated({ value: status }) });
  return Buffer.from(response.toSchema().toBER(false));
}
