import { createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { CertificateError, describeKey } from './certificate.ts';
import { childrenOf, readDer } from './der.ts';
import { derOf, identifiersOf, subjectOf, x509 } from './x509.ts';
import type { Subject } from './x509.ts';

/** A request for a certificate (PKCS#10). */
export interface SigningRequest {
  subject: Subject;
  /** Everything that its sender wants to be called: the names in its subject and in its subjectAltName. */
  identifiers: string[];
  /** What it asks for that no certificate of a station may have. */
  forbidden: string[];
  publicKey: { type: string; bits: number };
  key: KeyObject;
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
      ...requestedNames(request),
      publicKey: describeKey(key),
      key,
      signatureHash: algorithm.hash?.name?.toLowerCase().replace('-', ''),
      verify: () => request.verify().catch(() => false),
      request,
    };
  } catch (cause) {
    throw new CertificateError('the csr is no certificate request (PKCS#10) in PEM', { cause });
  }
}

/** Names by which a subjectAltName may call a station. */
const NAME_TYPES = ['dns', 'ip', 'email', 'url'];
const EXTENSION_REQUEST = '1.2.840.113549.1.9.14';
/** Microsoft's form of the same, which some authorities read too. */
const OTHER_EXTENSION_REQUEST = '1.3.6.1.4.1.311.2.1.14';

function requestedNames(
  request: x509.Pkcs10CertificateRequest,
): Pick<SigningRequest, 'identifiers' | 'forbidden'> {
  const forbidden: string[] = [];
  const { attributes, extensions } = request;
  const asking = attributes.filter(({ type }) => type === EXTENSION_REQUEST);
  // Of several the library reads the first; an outside authority may read another.
  if (asking.length > 1 || asking.some(({ values }) => values.length > 1))
    forbidden.push('more than one list of extensions');
  if (attributes.some(({ type }) => type === OTHER_EXTENSION_REQUEST))
    forbidden.push(`extensions in the attribute ${OTHER_EXTENSION_REQUEST}`);
  const named = extensions.filter((one) => one instanceof x509.SubjectAlternativeNameExtension);
  const names = named.flatMap((extension) => extension.names.items);
  // The library leaves out what it cannot read, such as an otherName.
  const written = named.flatMap(({ value }) => childrenOf(readDer(Buffer.from(value))));
  if (written.length > names.length) forbidden.push('a name of an unknown kind in its subjectAltName');
  for (const { type } of names.filter((name) => !NAME_TYPES.includes(name.type)))
    forbidden.push(`a name of the kind ${type} in its subjectAltName`);
  if (extensions.some((extension) => extension instanceof x509.BasicConstraintsExtension && extension.ca))
    forbidden.push('the certificate of an authority (CA:TRUE)');
  const identifiers = [...identifiersOf(request.subjectName), ...names.map(({ value }) => value)];
  return { identifiers, forbidden: [...new Set(forbidden)] };
}

const MAX_NAMES_SHOWN = 5;
const WEAK_HASHES = ['md2', 'md5', 'sha1'];

/** What speaks against signing a request (ocppj.md TLS.6): each fault with its cure; none when it may be signed. */
export async function faultsOf(
  request: SigningRequest,
  { names }: { names: readonly string[] },
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
  if (subject.CN === undefined) faults.push(`the csr has no CN; it must be ${names.join(' or ')}`);
  faults.push(...request.forbidden.map((asked) => `the csr asks for ${asked}`));
  const unknown = request.identifiers.filter((name) => !names.includes(name));
  if (unknown.length > 0)
    faults.push(
      `the csr names ${listed(unknown)}; a certificate of this station may name ${names.join(' or ')}`,
    );
  return faults;
}

/** As they can be stored and logged, whatever they hold, and however many they are. */
function listed(names: string[]): string {
  const shown = names.slice(0, MAX_NAMES_SHOWN).map((name) => JSON.stringify(name.slice(0, 100)));
  if (names.length > MAX_NAMES_SHOWN) shown.push(`${names.length - MAX_NAMES_SHOWN} more`);
  return shown.join(', ');
}
