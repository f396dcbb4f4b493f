/** The station that a request target names, or the reason to reject it. An invalid target may still name a station. */
export type StationTarget = { stationId: string; fault?: undefined } | { stationId?: string; fault: string };

/** Longest accepted identity, in characters. The specification sets no limit, but the database and the log need one. */
export const MAX_IDENTITY_LENGTH = 255;

const WRONG_PATH = 'the URL is not /ws/<station id>';

/**
 * Reads the station's identity from a request target: the last path segment, percent-decoded once (OCPP-J §3.1.1; ocppj.md URL.2–URL.4).
 * The segment follows `ws` or stands alone, because some stations drop the configured path. Empty segments, a trailing slash and the query
 * are ignored. Under any other path the identity is still read, to show the operator which station has a wrong URL.
 */
export function readTarget(requestTarget: string): StationTarget {
  // A server must also accept the absolute form (RFC 9112 §3.2.2).
  const path = requestTarget.replace(/^(?:https?|wss?):\/\/[^/?]*/i, '').split('?', 1)[0] ?? '';
  const segments = path.split('/').filter((segment) => segment !== '');
  const encoded = segments.pop();
  if (encoded === undefined || (encoded === 'ws' && segments.length === 0)) return { fault: WRONG_PATH };
  const stationId = decode(encoded);
  // Clients remove dot segments from URLs, and so does the gateway's own request to a manager (RFC 3986 §5.2.4).
  if (stationId === undefined || stationId === '.' || stationId === '..') return { fault: WRONG_PATH };
  if (stationId.length > MAX_IDENTITY_LENGTH) return { fault: 'the station id is too long' };
  // eslint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f-\u009f]/.test(stationId))
    return { fault: 'the station id contains control characters' };
  const isKnownPath = segments.length === 0 || (segments.length === 1 && segments[0] === 'ws');
  return isKnownPath ? { stationId } : { stationId, fault: WRONG_PATH };
}

function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}
