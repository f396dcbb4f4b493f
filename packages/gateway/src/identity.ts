/** The station that a request target names, and why it is not accepted with it; a target with a fault may name none. */
export type StationTarget = { stationId: string; fault?: undefined } | { stationId?: string; fault: string };

/** The longest accepted identity, in characters; the specification sets no limit, but a database and a log need one. */
export const MAX_IDENTITY_LENGTH = 255;

const WRONG_PATH = 'the URL is not /ws/<station id>';

/**
 * Reads the station's identity from a request target: the last segment of the path, percent-decoded once (OCPP-J §3.1.1; ocppj.md
 * URL.2–URL.4). Before it stands `ws` or nothing: some stations drop the path that they were given. Empty segments, a trailing slash and a query are
 * ignored. Under another path the identity is still read, so that the operator sees which station has the wrong URL.
 */
export function readTarget(requestTarget: string): StationTarget {
  // A server must accept the absolute form, too (RFC 9112 §3.2.2).
  const path = requestTarget.replace(/^(?:https?|wss?):\/\/[^/?]*/i, '').split('?', 1)[0] ?? '';
  const segments = path.split('/').filter((segment) => segment !== '');
  const encoded = segments.pop();
  if (encoded === undefined || (encoded === 'ws' && segments.length === 0)) return { fault: WRONG_PATH };
  const stationId = decode(encoded);
  // Clients remove dot segments from URLs, and so would we when asking a manager (RFC 3986 §5.2.4).
  if (stationId === undefined || stationId === '.' || stationId === '..') return { fault: WRONG_PATH };
  if (stationId.length > MAX_IDENTITY_LENGTH) return { fault: 'the station id is too long' };
  // eslint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f-\u009f]/.test(stationId))
    return { fault: 'the station id holds control characters' };
  const isOurs = segments.length === 0 || (segments.length === 1 && segments[0] === 'ws');
  return isOurs ? { stationId } : { stationId, fault: WRONG_PATH };
}

function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}
