import * as asn1js from 'asn1js';
import { randomBytes, verify } from 'node:crypto';
import { Certificate } from './certificate.ts';
import type { CertificateHash, HashAlgorithm } from './certificate.ts';
import { arrayOf, hexOf, HASHES, OID, pkijs, serialOf, SIGNATURE_HASHES } from './ocsp.ts';

export interface OcspAnswer {
  status: 'good' | 'revoked' | 'unknown';
  thisUpdate: Date;
  nextUpdate: Date | undefined;
  revokedAt: Date | undefined;
  /** The whole response as it came (OCSPResponse). */
  der: Buffer;
}

export interface OcspQuestion extends CertificateHash {
  responderUrl: string;
}

export interface OcspClientOptions {
  /** Sends a question to a responder; its answer's body. */
  post(url: string, body: Buffer, signal: AbortSignal): Promise<Buffer>;
  timeoutMs: number;
  now?: () => Date;
}

/** No answer that can be believed. */
export class OcspError extends Error {
  override name = 'OcspError';
}

const CLOCK_SKEW_MS = 300_000;
/** An answer without an end counts so long. */
const DEFAULT_LIFE_MS = 3_600_000;
const REMEMBERED = 10_000;
const OIDS = Object.fromEntries(Object.entries(HASHES).map(([oid, name]) => [name.toUpperCase(), oid]));

/** Asks responders (RFC 6960), and remembers what they said for as long as it counts. */
export class OcspClient {
  readonly #options: OcspClientOptions;
  readonly #answers = new Map<string, { answer: OcspAnswer; untilMs: number }>();

  constructor(options: OcspClientOptions) {
    this.#options = options;
  }

  /** The status of a certificate whose issuer is at hand. Rejects with OcspError. */
  status(certificate: Certificate, issuer: Certificate, { url }: { url?: string } = {}): Promise<OcspAnswer> {
    const [told] = certificate.ocspUrls;
    const responderUrl = url ?? told;
    if (responderUrl === undefined) throw new OcspError('the certificate names no responder');
    return this.statusByHash({ ...certificate.hashData(issuer), responderUrl }, { issuers: [issuer] });
  }

  /**
   * The status of a certificate that is known by its hashes. The answer must be signed by its issuer, which is one of those given, or by
   * a responder that this one has made its own. Rejects with OcspError.
   */
  async statusByHash(question: OcspQuestion, { issuers }: { issuers: Certificate[] }): Promise<OcspAnswer> {
    const issuer = issuers.find((one) => isIssuer(one, question));
    if (!issuer) throw new OcspError('the issuer of the certificate is not known here');
    const key = [question.issuerKeyHash, question.serialNumber, question.responderUrl]
      .join(' ')
      .toLowerCase();
    const nowMs = this.#now().getTime();
    const known = this.#answers.get(key);
    if (known && known.untilMs > nowMs) return known.answer;
    const answer = await this.#ask(question, issuer);
    const untilMs = answer.nextUpdate?.getTime() ?? nowMs + DEFAULT_LIFE_MS;
    this.#answers.delete(key);
    this.#answers.set(key, { answer, untilMs });
    const [oldest] = this.#answers.keys();
    if (this.#answers.size > REMEMBERED && oldest !== undefined) this.#answers.delete(oldest);
    return answer;
  }

  async #ask(question: OcspQuestion, issuer: Certificate): Promise<OcspAnswer> {
    const { post, timeoutMs } = this.#options;
    const nonce = randomBytes(16);
    let der: Buffer;
    try {
      der = await post(
        question.responderUrl,
        encodeQuestion(question, nonce),
        AbortSignal.timeout(timeoutMs),
      );
    } catch (cause) {
      throw new OcspError(`the responder ${question.responderUrl} does not answer`, { cause });
    }
    const basic = readResponse(der);
    requireNonce(basic, nonce);
    requireSignature(basic, issuer, this.#now());
    const single = basic.tbsResponseData.responses.find(
      ({ certID }) =>
        serialOf(certID.serialNumber.valueBlock.valueHexView.slice().buffer) === plain(question.serialNumber),
    );
    if (!single) throw new OcspError('the answer is about another certificate');
    this.#requireFresh(single);
    return { ...statusIn(single), thisUpdate: single.thisUpdate, nextUpdate: single.nextUpdate, der };
  }

  #requireFresh({ thisUpdate, nextUpdate }: pkijs.SingleResponse): void {
    const nowMs = this.#now().getTime();
    if (thisUpdate.getTime() > nowMs + CLOCK_SKEW_MS) throw new OcspError('the answer is of the future');
    if (nextUpdate && nextUpdate.getTime() < nowMs - CLOCK_SKEW_MS)
      throw new OcspError('the answer is stale');
  }

  #now(): Date {
    return this.#options.now?.() ?? new Date();
  }
}

function isIssuer(one: Certificate, { hashAlgorithm, issuerKeyHash }: CertificateHash): boolean {
  return one.hashData(one, hashAlgorithm).issuerKeyHash === issuerKeyHash.toLowerCase();
}

function encodeQuestion(question: CertificateHash, nonce: Buffer): Buffer {
  const octets = (hex: string): asn1js.OctetString =>
    new asn1js.OctetString({ valueHex: arrayOf(Buffer.from(hex, 'hex')) });
  const serial = plain(question.serialNumber);
  const even = serial.length % 2 === 0 ? serial : `0${serial}`;
  // A first bit that is set would make it negative.
  const positive = parseInt(even.slice(0, 2), 16) >= 0x80 ? `00${even}` : even;
  const certID = new pkijs.CertID({
    hashAlgorithm: new pkijs.AlgorithmIdentifier({ algorithmId: oidOf(question.hashAlgorithm) }),
    issuerNameHash: octets(question.issuerNameHash),
    issuerKeyHash: octets(question.issuerKeyHash),
    serialNumber: new asn1js.Integer({ valueHex: arrayOf(Buffer.from(positive, 'hex')) }),
  });
  const request = new pkijs.OCSPRequest();
  request.tbsRequest.requestList = [new pkijs.Request({ reqCert: certID })];
  const extnValue = new asn1js.OctetString({ valueHex: arrayOf(nonce) }).toBER();
  request.tbsRequest.requestExtensions = [new pkijs.Extension({ extnID: OID.nonce, extnValue })];
  return Buffer.from(request.toSchema(true).toBER(false));
}

function oidOf(hashAlgorithm: HashAlgorithm): string {
  const oid = OIDS[hashAlgorithm];
  if (oid === undefined) throw new OcspError(`${hashAlgorithm} is not known`);
  return oid;
}

function readResponse(der: Buffer): pkijs.BasicOCSPResponse {
  let status: number;
  try {
    const response = pkijs.OCSPResponse.fromBER(arrayOf(der));
    status = response.responseStatus.valueBlock.valueDec;
    if (status === 0 && response.responseBytes?.responseType === OID.basicResponse)
      return pkijs.BasicOCSPResponse.fromBER(response.responseBytes.response.valueBlock.valueHexView);
  } catch (cause) {
    throw new OcspError('the answer cannot be read', { cause });
  }
  throw new OcspError(`the responder refuses: OCSPResponseStatus ${status}`);
}

// Many responders hand out answers made in advance, which have none.
function requireNonce({ tbsResponseData }: pkijs.BasicOCSPResponse, nonce: Buffer): void {
  const told = tbsResponseData.responseExtensions?.find(({ extnID }) => extnID === OID.nonce);
  if (told && !hexOf(told.extnValue.valueBlock.valueHexView.slice().buffer).endsWith(nonce.toString('hex')))
    throw new OcspError('the answer is to another question: its nonce is not ours');
}

function requireSignature(basic: pkijs.BasicOCSPResponse, issuer: Certificate, at: Date): void {
  const hash = SIGNATURE_HASHES[basic.signatureAlgorithm.algorithmId];
  if (hash === undefined)
    throw new OcspError(`the answer is signed by ${basic.signatureAlgorithm.algorithmId}`);
  const tbs = Buffer.from(basic.tbsResponseData.tbsView);
  const signature = Buffer.from(basic.signature.valueBlock.valueHexView);
  const signers = [issuer, ...delegatesIn(basic, issuer, at)];
  if (!signers.some(({ key }) => verify(hash, tbs, key, signature)))
    throw new OcspError('the answer is not signed by the issuer or a responder of its');
}

function delegatesIn({ certs = [] }: pkijs.BasicOCSPResponse, issuer: Certificate, at: Date): Certificate[] {
  return certs
    .map((one) => Certificate.parse(Buffer.from(one.toSchema(true).toBER(false))))
    .filter(
      (one) =>
        one.isIssuedBy(issuer) && at <= one.notAfter && (one.purposes?.includes(OID.ocspSigning) ?? false),
    );
}

function statusIn({ certStatus }: pkijs.SingleResponse): Pick<OcspAnswer, 'status' | 'revokedAt'> {
  const block = certStatus as asn1js.Constructed;
  const { tagNumber } = block.idBlock;
  if (tagNumber === 0) return { status: 'good', revokedAt: undefined };
  if (tagNumber !== 1) return { status: 'unknown', revokedAt: undefined };
  const [time] = block.valueBlock.value;
  return { status: 'revoked', revokedAt: time instanceof asn1js.GeneralizedTime ? time.toDate() : undefined };
}

function plain(serialNumber: string): string {
  return serialNumber.toLowerCase().replace(/^0+(?=.)/, '');
}
