import { Certificate } from './certificate.ts';
import type { CertificateHash, HashAlgorithm } from './certificate.ts';
import {
  bitsOf,
  childAt,
  childrenOf,
  der,
  integer,
  oid,
  oidOf,
  readDer,
  sequence,
  TAG,
  timeOf,
} from './der.ts';
import type { Der } from './der.ts';
import { isSignature } from './signature.ts';

const HASH_OIDS: Record<HashAlgorithm, string> = {
  SHA256: '2.16.840.1.101.3.4.2.1',
  SHA384: '2.16.840.1.101.3.4.2.2',
  SHA512: '2.16.840.1.101.3.4.2.3',
};
const NONCE = '1.3.6.1.5.5.7.48.1.2';
const OCSP_SIGNING = '1.3.6.1.5.5.7.3.9';
const BASIC_RESPONSE = '1.3.6.1.5.5.7.48.1.1';
const [EXPLICIT_0, EXPLICIT_1, EXPLICIT_2] = [0xa0, 0xa1, 0xa2];
const GOOD_TAG = 0x80;
const REVOKED_TAG = 0xa1;
/** Tolerated clock difference. */
const SKEW_MS = 300_000;
const STATUS_NAMES = [
  'successful',
  'malformedRequest',
  'internalError',
  '',
  'tryLater',
  'sigRequired',
  'unauthorized',
];

/** A responder's answer about one certificate. */
export interface OcspAnswer {
  status: 'good' | 'revoked' | 'unknown';
  thisUpdate: Date;
  /** When it expires; undefined if the responder always has newer information. */
  nextUpdate: Date | undefined;
  nonce: Buffer | undefined;
  /** Certificates included in the answer: the signer's, and authorities above it. */
  certificates: Certificate[];
  /** Whether it is signed by the certificate's issuer or by a responder that the issuer has authorised (RFC 6960 §4.2.2.2). */
  isSignedFor(issuer: Certificate, at: Date): boolean;
}

export function isHashAlgorithm(name: string): name is HashAlgorithm {
  return Object.hasOwn(HASH_OIDS, name);
}

/** Creates an OCSP request for one certificate (RFC 6960 §4.1.1). Throws if the hash data are invalid. */
export function ocspRequest(data: CertificateHash, nonce: Buffer | undefined): Buffer {
  const single = sequence(certIdOf(data));
  const extension = (value: Buffer): Buffer =>
    sequence(oid(NONCE), der(TAG.octetString, der(TAG.octetString, value)));
  const extensions = nonce ? [der(EXPLICIT_2, sequence(extension(nonce)))] : [];
  return sequence(sequence(sequence(single), ...extensions));
}

/** Parses a responder's answer about one certificate. Throws if it is invalid, an error, or about another certificate. */
export function readOcspResponse(response: Buffer, data: CertificateHash): OcspAnswer {
  const [status, bytes] = childrenOf(readDer(response));
  const code = status?.tag === TAG.enumerated ? (status.content[0] ?? -1) : -1;
  if (code !== 0 || !bytes)
    throw new Error(`the responder answered ${STATUS_NAMES[code] || 'an unreadable response'}`);
  const wrapped = childAt(bytes, 0, TAG.sequence);
  if (oidOf(childAt(wrapped, 0, TAG.oid)) !== BASIC_RESPONSE)
    throw new Error('the type of the answer is unknown');
  const basic = readDer(childAt(wrapped, 1, TAG.octetString).content);
  const signed = childAt(basic, 0, TAG.sequence);
  const algorithm = childAt(basic, 1, TAG.sequence);
  const signature = bitsOf(childAt(basic, 2, TAG.bitString));
  const certificates = certificatesIn(childrenOf(basic)[3]);
  return {
    ...singleOf(signed, data),
    nonce: nonceOf(signed),
    certificates,
    isSignedFor: (issuer, at) =>
      [issuer, ...certificates].some(
        (signer) =>
          mayAnswerFor(signer, issuer, at) && isSignature({ algorithm, signature }, signed.raw, signer.key),
      ),
  };
}

/** Whether the answer is valid at this time. */
export function isCurrent({ thisUpdate, nextUpdate }: OcspAnswer, at: Date): boolean {
  const hasBegun = thisUpdate.getTime() <= at.getTime() + SKEW_MS;
  return hasBegun && (nextUpdate === undefined || at < nextUpdate);
}

function mayAnswerFor(signer: Certificate, issuer: Certificate, at: Date): boolean {
  if (signer.fingerprint === issuer.fingerprint) return true;
  const isAppointed = signer.purposes?.includes(OCSP_SIGNING) ?? false;
  return isAppointed && signer.isIssuedBy(issuer) && signer.notBefore <= at && at <= signer.notAfter;
}

function certIdOf({ hashAlgorithm, issuerNameHash, issuerKeyHash, serialNumber }: CertificateHash): Buffer {
  // Stations' messages are read tolerantly, so it may be any text.
  const name: string = hashAlgorithm;
  if (!isHashAlgorithm(name)) throw new Error(`hashes by ${name.slice(0, 20)} are not supported`);
  for (const hex of [issuerNameHash, issuerKeyHash, serialNumber])
    if (!/^[\da-f]+$/i.test(hex)) throw new Error(`${hex.slice(0, 140)} is not hexadecimal`);
  const algorithm = sequence(oid(HASH_OIDS[name]), Buffer.from([TAG.null, 0]));
  const hashes = [issuerNameHash, issuerKeyHash].map((hex) => der(TAG.octetString, Buffer.from(hex, 'hex')));
  return sequence(algorithm, ...hashes, integer(serialNumber));
}

/** The single response about the certificate. */
function singleOf(
  signed: Der,
  data: CertificateHash,
): Pick<OcspAnswer, 'status' | 'thisUpdate' | 'nextUpdate'> {
  const desired = idParts(readDer(certIdOf(data)));
  const list = childrenOf(signed).find(({ tag }) => tag === TAG.sequence);
  for (const single of list ? childrenOf(list) : []) {
    const [id, status, thisUpdate, ...rest] = childrenOf(single);
    if (!id || !status || !thisUpdate || idParts(id) !== desired) continue;
    const next = rest.find(({ tag }) => tag === EXPLICIT_0);
    return {
      status: status.tag === GOOD_TAG ? 'good' : status.tag === REVOKED_TAG ? 'revoked' : 'unknown',
      thisUpdate: timeOf(thisUpdate),
      nextUpdate: next && timeOf(childAt(next, 0, TAG.generalizedTime)),
    };
  }
  throw new Error('the answer is about another certificate');
}

/** A CertID for comparison: the parameters of its algorithm are optional. */
function idParts(id: Der): string {
  const [algorithm, ...rest] = childrenOf(id);
  const name = algorithm ? oidOf(childAt(algorithm, 0, TAG.oid)) : '';
  return [name, ...rest.map(({ raw }) => raw.toString('hex'))].join(' ');
}

function nonceOf(signed: Der): Buffer | undefined {
  const extensions = childrenOf(signed).findLast(({ tag }) => tag === EXPLICIT_1);
  if (!extensions) return undefined;
  for (const extension of childrenOf(childAt(extensions, 0, TAG.sequence))) {
    const parts = childrenOf(extension);
    const [name] = parts;
    const value = parts.at(-1);
    if (name && value && oidOf(name) === NONCE) return readDer(value.content).content;
  }
  return undefined;
}

/** The readable certificates: one of them must have signed the answer. */
function certificatesIn(wrapper: Der | undefined): Certificate[] {
  if (wrapper?.tag !== EXPLICIT_0) return [];
  return childrenOf(childAt(wrapper, 0, TAG.sequence)).flatMap(({ raw }) => {
    try {
      return [Certificate.parse(raw)];
    } catch {
      return [];
    }
  });
}
