import { createPublicKey } from 'node:crypto';
import { CertificateError, describeKey } from './certificate.ts';
import { derOf, subjectOf, x509 } from './x509.ts';
import type { Subject } from './x509.ts';

/** A request for a certificate (PKCS#10). */
export interface SigningRequest {
  subject: Subject;
  publicKey: { type: string; bits: number };
  /** The hash of its signature, as `sha256`; undefined when it signs without one. */
  signatureHash: string | undefined;
  /** Does its signature prove that the sender has the key? */
  verify(): Promise<boolean>;
  /** As the library has it, to be signed. */
  request: x509.Pkcs10CertificateRequest;
}

/** Reads a request in PEM, or the bare base64 of its DER as Edition 1 of the security extension sends it. Throws CertificateError. */
export function readSigningRequest(text: string): SigningRequest {
  try {
    const request = new x509.Pkcs10CertificateRequest(derOf(text));
    const key = createPublicKey({
      key: Buffer.from(request.publicKey.rawData),
      format: 'der',
      type: 'spki',
    });
    const algorithm = request.signatureAlgorithm as { hash?: { name?: string } };
    return {
      subject: subjectOf(request.subjectName),
      publicKey: describeKey(key),
      signatureHash: algorithm.hash?.name?.toLowerCase().replace('-', ''),
      verify: () => request.verify().catch(() => false),
      request,
    };
  } catch (cause) {
    throw new CertificateError('the csr is no certificate request (PKCS#10) in PEM', { cause });
  }
}

const WEAK_HASHES = ['md2', 'md5', 'sha1'];

/** What speaks against signing a request (ocppj.md TLS.6): each fault with its cure; none when it may be signed. */
export async function faultsOf(
  request: SigningRequest,
  { commonNames, organisation }: { commonNames: string[]; organisation?: string },
): Promise<string[]> {
  const { subject, publicKey, signatureHash } = request;
  const faults: string[] = [];
  if (!(await request.verify())) faults.push('the signature of the csr is not that of its key');
  if (publicKey.type === 'rsa' && publicKey.bits < 2048)
    faults.push(`the RSA key has ${publicKey.bits} bits; 2048 are the least`);
  else if (publicKey.type === 'ec' && publicKey.bits < 224)
    faults.push(`the EC key has ${publicKey.bits} bits; 224 are the least`);
  else if (!['rsa', 'ec'].includes(publicKey.type))
    faults.push(`a key of kind ${publicKey.type} is not signed; use RSA or EC`);
  if (signatureHash !== undefined && WEAK_HASHES.includes(signatureHash))
    faults.push(`the csr is signed with ${signatureHash}; SHA-256 is the least`);
  if (subject.CN === undefined || !commonNames.includes(subject.CN))
    faults.push(
      `the CN of the csr is ${subject.CN ?? 'missing'}; for this station it may be ${commonNames.join(' or ')}`,
    );
  if (organisation !== undefined && subject.O !== organisation)
    faults.push(`the O of the csr is ${subject.O ?? 'missing'}; it must be ${organisation}`);
  return faults;
}
