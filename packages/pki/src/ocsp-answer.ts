import { Certificate } from './certificate.ts';
import type { CertificateHash, HashAlgorithm } from './certificate.ts';
import { bitsOf, childAt, childrenOf, der, oid, oidOf, readDer, sequence, TAG, timeOf } from './der.ts';
import type { Der } from './der.ts';
import { certId, HASH_OIDS, OID, STATUS_TAG } from './ocsp.ts';
import { isSignature } from './signature.ts';

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
    sequence(oid(OID.nonce), der(TAG.octetString, der(TAG.octetString, value)));
  const extensions = nonce ? [der(TAG.explicit2, sequence(extension(nonce)))] : [];
  return sequence(sequence(sequence(single), ...extensions));
}

/** Parses a responder's answer about one certificate. Throws if it is invalid, an error, or about another certificate. */
export function readOcspResponse(response: Buffer, data: CertificateHash): OcspAnswer {
  const [status, bytes] = childrenOf(readDer(response));
  const code = status?.tag === TAG.enumerated ? (status.content[0] ?? -1) : -1;
  if (code !== 0 || !bytes)
    throw new Error(`the responder answered ${STATUS_NAMES[code] || 'an unreadable response'}`);
  const wrapped = childAt(bytes, 0, TAG.sequence);
  if (oidOf(childAt(wrapped, 0, TAG.oid)) !== OID.basicResponse)
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
  const isAppointed = signer.purposes?.includes(OID.ocspSigning) ?? false;
  return isAppointed && signer.isIssuedBy(issuer) && signer.notBefore <= at && at <= signer.notAfter;
}

function certIdOf({ hashAlgorithm, issuerNameHash, issuerKeyHash, serialNumber }: CertificateHash): Buffer {
  // Stations' messages are read tolerantly, so it may be any text.
  const name: string = hashAlgorithm;
  if (!isHashAlgorithm(name)) throw new Error(`hashes by ${name.slice(0, 20)} are not supported`);
  for (const hex of [issuerNameHash, issuerKeyHash, serialNumber])
    if (!/^[\da-f]+$/i.test(hex)) throw new Error(`${hex.slice(0, 140)} is not hexadecimal`);
  return certId({ hashOid: HASH_OIDS[name], hasNull: true, issuerNameHash, issuerKeyHash, serialNumber });
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
    const next = rest.find(({ tag }) => tag === TAG.explicit0);
    return {
      status:
        status.tag === STATUS_TAG.good ? 'good' : status.tag === STATUS_TAG.revoked ? 'revoked' : 'unknown',
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
  const extensions = childrenOf(signed).findLast(({ tag }) => tag === TAG.explicit1);
  if (!extensions) return undefined;
  for (const extension of childrenOf(childAt(extensions, 0, TAG.sequence))) {
    const parts = childrenOf(extension);
    const [name] = parts;
    const value = parts.at(-1);
    if (name && value && oidOf(name) === OID.nonce) return readDer(value.content).content;
  }
  return undefined;
}

/** The readable certificates: one of them must have signed the answer. */
function certificatesIn(wrapper: Der | undefined): Certificate[] {
  if (wrapper?.tag !== TAG.explicit0) return [];
  return childrenOf(childAt(wrapper, 0, TAG.sequence)).flatMap(({ raw }) => {
    try {
      return [Certificate.parse(raw)];
    } catch {
      return [];
    }
  });
}
