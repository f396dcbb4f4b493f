import type { Certificate } from './certificate.ts';

/** What keeps a chain from being good. */
export type PathFault = 'expired' | 'signature' | 'unknownIssuer' | 'notAuthority';

export type PathResult = { ok: true; path: Certificate[] } | { ok: false; fault: PathFault; reason: string };

export interface PathQuestion {
  /** The certificate in question first, then what came with it in any order. */
  chain: readonly Certificate[];
  /** Where a path may end. */
  anchors: readonly Certificate[];
  /** What may stand between, besides what came with it. */
  intermediates: readonly Certificate[];
  at: Date;
}

const LONGEST = 8;

/** Builds a path from a certificate to an anchor, and checks it (RFC 5280 §6): signatures, dates, and who may issue. */
export function validatePath({ chain, anchors, intermediates, at }: PathQuestion): PathResult {
  const [leaf, ...others] = chain;
  if (!leaf) return { ok: false, fault: 'unknownIssuer', reason: 'there is no certificate' };
  let hasForged = false;
  const extend = (path: Certificate[]): Certificate[] | undefined => {
    const last = path.at(-1) ?? leaf;
    const end = anchors.find((anchor) => anchor.isSame(last));
    if (end) return path;
    if (path.length === LONGEST) return undefined;
    for (const issuer of [...anchors, ...others, ...intermediates]) {
      if (path.some((one) => one.isSame(issuer)) || !last.isIssuedBy(issuer)) continue;
      if (!last.isSignedBy(issuer)) hasForged = true;
      else {
        const found = extend([...path, issuer]);
        if (found) return found;
      }
    }
    return undefined;
  };
  const path = extend([leaf]);
  if (path) return checkPath(path, at);
  return hasForged
    ? { ok: false, fault: 'signature', reason: 'a signature in the chain is wrong' }
    : {
        ok: false,
        fault: 'unknownIssuer',
        reason: `no chain leads from ${nameOf(leaf)} to a root that is trusted`,
      };
}

function checkPath(path: Certificate[], at: Date): PathResult {
  for (const [index, certificate] of path.entries()) {
    const name = nameOf(certificate);
    if (index > 0 && !certificate.x509.ca)
      return { ok: false, fault: 'notAuthority', reason: `${name} is no certificate of an authority` };
    // Above the leaf, so many sub-CAs stand under it as come before it without the leaf.
    if (index > 0 && certificate.pathLength < index - 1)
      return { ok: false, fault: 'notAuthority', reason: `${name} allows no chain of this length under it` };
  }
  const expired = path.find((certificate) => !certificate.isValidAt(at));
  if (!expired) return { ok: true, path };
  const { validFrom, validTo } = expired.x509;
  return {
    ok: false,
    fault: 'expired',
    reason: `${nameOf(expired)} is valid from ${validFrom} to ${validTo}`,
  };
}

function nameOf({ x509 }: Certificate): string {
  return x509.subject.replaceAll('\n', ', ').slice(0, 200);
}
