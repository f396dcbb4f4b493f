/**
 * The station's identity from a request target, `/ws/<percent-encoded identity>`, or undefined when it holds none. A query and
 * a trailing slash are passed over (OCPP-J §3.1.1; ocppj.md URL.2–URL.4).
 */
export function readIdentity(requestTarget: string): string | undefined {
  const path = requestTarget.split('?', 1)[0] ?? '';
  const [, encoded] = /^\/ws\/([^/]+)\/?$/.exec(path) ?? [];
  if (encoded === undefined) return undefined;
  try {
    const identity = decodeURIComponent(encoded);
    // Dot segments: whoever puts one in a URL, as we do to ask a manager, has it removed (RFC 3986 §5.2.4).
    return identity === '.' || identity === '..' ? undefined : identity;
  } catch {
    return undefined;
  }
}

/** Longest identity that is let in, in characters; the text sets none, a database and a log want one. */
export const MAX_IDENTITY_LENGTH = 255;
