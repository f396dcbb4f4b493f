import type { Certificate } from './certificate.ts';

export type PathFault =
  | 'expired'
  | 'notYetValid'
  | 'unknownAuthority'
  | 'badSignature'
  | 'notACa'
  | 'pathTooLong'
  | 'weakKey'
  | 'wrongPurpose'
  | 'unknownExtension';

export type PathResult =
  /** From the certificate to its root. */
  | { ok: true; path: Certificate[] }
  | { ok: false; fault: PathFault; certificate: Certificate; reason: string };

export interface PathOptions {
  /** The certificate first; the others in any order. */
  chain: Certificate[];
  /** Trusted roots. */
  anchors: Certificate[];
  /** Known authorities that the sender may have omitted. */
  intermediates?: Certificate[];
  at: Date;
  purpose?: 'clientAuth' | 'serverAuth' | 'any';
}

const MAX_PATH_LENGTH = 10;
const PURPOSES = { clientAuth: '1.3.6.1.5.5.7.3.2', serverAuth: '1.3.6.1.5.5.7.3.1' };
const ANY_PURPOSE = '2.5.29.37.0';

/** Finds and checks the path from a certificate to an anchor (RFC 5280 §6): signatures, dates, authorities, key strength, purpose. */
export function validatePath({
  chain,
  anchors,
  intermediates = [],
  at,
  purpose = 'any',
}: PathOptions): PathResult {
  const [own, ...sent] = chain;
  if (!own) throw new Error('a path begins with a certificate');
  const found = build(own, [...sent, ...intermediates], anchors);
  if (!Array.isArray(found)) return found;
  return (
    firstFault(found, (one) => dateFault(one, at)) ??
    firstFault(found, strengthFault) ??
    firstFault(found.slice(0, -1), extensionFault) ??
    authorityFault(found) ??
    purposeFault(own, purpose) ?? { ok: true, path: found }
  );
}

function build(own: Certificate, known: Certificate[], anchors: Certificate[]): Certificate[] | Failure {
  const path = [own];
  for (;;) {
    const last = path.at(-1) ?? own;
    const trusted = anchors.find((anchor) => anchor.fingerprint === last.fingerprint);
    if (trusted) return path;
    const anchor = anchors.find((one) => last.isIssuedBy(one));
    if (anchor) return [...path, anchor];
    const next = known.find((one) => !path.includes(one) && last.isIssuedBy(one));
    if (!next) return missingIssuer(last, [...anchors, ...known]);
    if (path.length >= MAX_PATH_LENGTH)
      return failure('pathTooLong', last, `its path has more than ${MAX_PATH_LENGTH} certificates`);
    path.push(next);
  }
}

function missingIssuer(last: Certificate, known: Certificate[]): Failure {
  if (known.some((one) => one.fingerprint !== last.fingerprint && last.namesAsIssuer(one)))
    return failure(
      'badSignature',
      last,
      `the signature of ${nameOf(last)} does not match the issuer it names`,
    );
  const { CN, O } = last.issuer;
  return failure(
    'unknownAuthority',
    last,
    `${nameOf(last)} is issued by ${CN ?? O ?? 'an authority without a name'}, which is not trusted here`,
  );
}

function dateFault(one: Certificate, at: Date): Failure | undefined {
  if (at > one.notAfter)
    return failure('expired', one, `${nameOf(one)} expired at ${one.notAfter.toISOString()}`);
  if (at < one.notBefore)
    return failure('notYetValid', one, `${nameOf(one)} is valid from ${one.notBefore.toISOString()} on`);
  return undefined;
}

function strengthFault(one: Certificate): Failure | undefined {
  const { type, bits } = one.publicKey;
  const isWeak = (type === 'rsa' && bits < 2048) || (type === 'ec' && bits < 224);
  return isWeak
    ? failure('weakKey', one, `the ${type} key of ${nameOf(one)} has only ${bits} bits`)
    : undefined;
}

function extensionFault(one: Certificate): Failure | undefined {
  const [unknown] = one.unknownCritical;
  if (unknown !== undefined)
    return failure(
      'unknownExtension',
      one,
      `${nameOf(one)} has the critical extension ${unknown}, which is not supported`,
    );
  if (['md5', 'sha1'].includes(one.signatureHash ?? ''))
    return failure('badSignature', one, `${nameOf(one)} is signed with ${one.signatureHash}`);
  return undefined;
}

function authorityFault(path: Certificate[]): Failure | undefined {
  for (const [below, authority] of path.slice(1).entries()) {
    if (!authority.isCa || !authority.maySign)
      return failure('notACa', authority, `${nameOf(authority)} is not a certificate authority`);
    // Self-issued certificates do not count.
    const between = path.slice(1, below + 1).filter((one) => !one.isSelfIssued).length;
    if (authority.pathLength !== undefined && between > authority.pathLength)
      return failure(
        'pathTooLong',
        authority,
        `${nameOf(authority)} allows ${authority.pathLength} authorities below it, there are ${between}`,
      );
  }
  return undefined;
}

function purposeFault(own: Certificate, purpose: PathOptions['purpose']): Failure | undefined {
  const { purposes } = own;
  if (!purpose || purpose === 'any' || !purposes) return undefined;
  if (purposes.includes(PURPOSES[purpose]) || purposes.includes(ANY_PURPOSE)) return undefined;
  return failure('wrongPurpose', own, `the extendedKeyUsage of ${nameOf(own)} does not allow ${purpose}`);
}

type Failure = Extract<PathResult, { ok: false }>;

function firstFault(
  path: Certificate[],
  check: (one: Certificate) => Failure | undefined,
): Failure | undefined {
  for (const one of path) {
    const fault = check(one);
    if (fault) return fault;
  }
  return undefined;
}

function failure(fault: PathFault, certificate: Certificate, reason: string): Failure {
  return { ok: false, fault, certificate, reason };
}

function nameOf({ subject, serialNumber }: Certificate): string {
  return `the certificate of ${subject.CN ?? subject.O ?? `serial number ${serialNumber}`}`;
}
