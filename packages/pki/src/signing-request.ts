import { createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { CertificateError, describeKey } from './certificate.ts';
import { childrenOf, readDer } from './der.ts';
import { derOf, identifiersOf, subjectOf, x509 } from './x509.ts';
import type { Subject } from './x509.ts';

/** A certificate signing request (PKCS#10). */
export interface SigningRequest {
  subject: Subject;
  /** All names that it requests: in its subject and in its subjectAltName. */
  identifiers: string[];
  /** Requested properties that a station certificate may not have. */
  forbidden: string[];
  publicKey: { type: string; bits: number };
  key: KeyObject;
  /** The hash of its signature, such as `sha256`; undefined for a signature without one. */
  signatureHash: string | undefined;
  /** Whether its signature proves that the sender has the key. */
  verify(): Promise<boolean>;
  /** The library's object, for signing. */
  request: x509.Pkcs10CertificateRequest;
}

/** Parses a request in PEM, or in bare base64 as in Edition 1 of the security extension. Throws CertificateError. */
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
      ...requestedNames(request),
      publicKey: describeKey(key),
      key,
      signatureHash: algorithm.hash?.name?.toLowerCase().replace('-', ''),
      verify: () => request.verify().catch(() => false),
      request,
    };
  } catch (cause) {
    throw new CertificateError('the csr is not a certificate request (PKCS#10) in PEM', { cause });
  }
}

/** Types of names in a subjectAltName that may identify a station. */
const NAME_TYPES = ['dns', 'ip', 'email', 'url'];
const EXTENSION_REQUEST = '1.2.840.113549.1.9.14';
/** Microsoft's variant, which some authorities also read. */
const OTHER_EXTENSION_REQUEST = '1.3.6.1.4.1.311.2.1.14';

function requestedNames(
  request: x509.Pkcs10CertificateRequest,
): Pick<SigningRequest, 'identifiers' | 'forbidden'> {
  const forbidden: string[] = [];
  const { attributes, extensions } = request;
  const asking = attributes.filter(({ type }) => type === EXTENSION_REQUEST);
  // The library reads the first of several; an external authority may read another.
  if (asking.length > 1 || asking.some(({ values }) => values.length > 1))
    forbidden.push('more than one list of extensions');
  if (attributes.some(({ type }) => type === OTHER_EXTENSION_REQUEST))
    forbidden.push(`extensions in the attribute ${OTHER_EXTENSION_REQUEST}`);
  const named = extensions.filter((one) => one instanceof x509.SubjectAlternativeNameExtension);
  const names = named.flatMap((extension) => extension.names.items);
  // The library omits unreadable names, such as an otherName.
  const written = named.flatMap(({ value }) => childrenOf(readDer(Buffer.from(value))));
  if (written.length > names.length) forbidden.push('a name of an unknown type in its subjectAltName');
  for (const { type } of names.filter((name) => !NAME_TYPES.includes(name.type)))
    forbidden.push(`a name of type ${type} in its subjectAltName`);
  if (extensions.some((extension) => extension instanceof x509.BasicConstraintsExtension && extension.ca))
    forbidden.push('the certificate of an authority (CA:TRUE)');
  const identifiers = [...identifiersOf(request.subjectName), ...names.map(({ value }) => value)];
  return { identifiers, forbidden: [...new Set(forbidden)] };
}

const MAX_NAMES_SHOWN = 5;
const WEAK_HASHES = ['md2', 'md5', 'sha1'];

/** Reasons not to sign a request (ocppj.md TLS.6), each with its remedy; empty if it may be signed. */
export async function faultsOf(
  request: SigningRequest,
  { names }: { names: readonly string[] },
): Promise<string[]> {
  const { subject, publicKey, signatureHash } = request;
  const faults: string[] = [];
  if (!(await request.verify())) faults.push('the signature of the csr does not match its key');
  if (publicKey.type === 'rsa' && publicKey.bits < 2048)
    faults.push(`the RSA key has ${publicKey.bits} bits; at least 2048 are required`);
  else if (publicKey.type === 'ec' && publicKey.bits < 224)
    faults.push(`the EC key has ${publicKey.bits} bits; at least 224 are required`);
  else if (!['rsa', 'ec'].includes(publicKey.type))
    faults.push(`the key type ${publicKey.type} is not supported; use RSA or EC`);
  if (signatureHash !== undefined && WEAK_HASHES.includes(signatureHash))
    faults.push(`the csr is signed with ${signatureHash}; at least SHA-256 is required`);
  if (subject.CN === undefined) faults.push(`the csr has no CN; it must be ${names.join(' or ')}`);
  faults.push(...request.forbidden.map((property) => `the csr asks for ${property}`));
  const unknown = request.identifiers.filter((name) => !names.includes(name));
  if (unknown.length > 0)
    faults.push(
      `the csr names ${listed(unknown)}; a certificate of this station may name ${names.join(' or ')}`,
    );
  return faults;
}

/** The names in a form that can be stored and logged, limited in number. */
function listed(names: string[]): string {
  const shown = names.slice(0, MAX_NAMES_SHOWN).map((name) => JSON.stringify(name.slice(0, 100)));
  if (names.length > MAX_NAMES_SHOWN) shown.push(`${names.length - MAX_NAMES_SHOWN} more`);
  return shown.join(', ');
}
