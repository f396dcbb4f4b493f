import type { IncomingMessage } from 'node:http';
import { isPassword, ManagerAwayError } from './credentials.ts';
import type { Credentials, CredentialSource } from './credentials.ts';
import { MAX_IDENTITY_LENGTH, readIdentity } from './identity.ts';

/** Why a handshake is turned away: an HTTP status and a reason for the log and the API. */
export class Refusal {
  readonly status: number;
  readonly reason: string;
  readonly stationId: string;
  readonly headers: Record<string, string>;

  constructor(
    status: number,
    reason: string,
    about: { stationId?: string; headers?: Record<string, string> } = {},
  ) {
    this.status = status;
    this.reason = reason;
    this.stationId = about.stationId ?? '';
    this.headers = about.headers ?? {};
  }
}

export interface HandshakeOptions {
  credentialsOf: CredentialSource;
  passwordPepper: string;
}

/**
 * The ladder of guards before the 101, in the order of ocppj.md §1: target, identity, security profile, credentials,
 * subprotocol. Answers the station's identity, or the first guard's refusal.
 */
export async function admit(request: IncomingMessage, options: HandshakeOptions): Promise<string | Refusal> {
  const stationId = readIdentity(request.url ?? '');
  if (stationId === undefined) return new Refusal(400, 'the URL is not /ws/<station id>');
  if (stationId.length > MAX_IDENTITY_LENGTH) return new Refusal(400, 'the station id is too long');
  // eslint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f]/.test(stationId))
    return new Refusal(400, 'the station id holds control characters');
  const about = { stationId };

  let credentials: Credentials | undefined;
  try {
    credentials = await options.credentialsOf(stationId);
  } catch (error) {
    if (!(error instanceof ManagerAwayError)) throw error;
    // Not 401: a station takes that for wrong credentials of its own (ocppj.md AUT.12).
    return new Refusal(503, 'no manager can be asked for credentials', {
      stationId,
      headers: { 'Retry-After': '5' },
    });
  }
  if (!credentials) return new Refusal(404, 'unknown station', about);
  if (credentials.securityProfile > 1) {
    return new Refusal(
      403,
      `the station must use TLS: its security profile is ${credentials.securityProfile}`,
      about,
    );
  }
  const wrong =
    credentials.securityProfile === 1 ? wrongCredentials(request, credentials, options) : undefined;
  if (wrong) {
    return new Refusal(401, wrong, {
      stationId,
      headers: { 'WWW-Authenticate': 'Basic realm="Evander", charset="UTF-8"' },
    });
  }
  const offered = offeredSubprotocols(request);
  if (!offered.includes('ocpp1.6')) {
    const what = offered.length === 0 ? 'no subprotocol' : `only the subprotocols ${offered.join(', ')}`;
    return new Refusal(400, `offers ${what.slice(0, 200)}; ocpp1.6 is spoken here`, about);
  }
  return stationId;
}

function wrongCredentials(
  request: IncomingMessage,
  credentials: Credentials,
  options: HandshakeOptions,
): string | undefined {
  const [, encoded] = /^Basic +([A-Za-z0-9+/=_-]+) *$/i.exec(request.headers.authorization ?? '') ?? [];
  if (encoded === undefined) return 'no Basic credentials';
  // The password may hold any byte, colons too: only the known identity tells where it begins (ocppj.md AUT.5).
  const bytes = Buffer.from(encoded, 'base64');
  const user = Buffer.from(`${credentials.userName ?? credentials.stationId}:`);
  if (!bytes.subarray(0, user.length).equals(user))
    return `the Basic user name is not ${credentials.userName == null ? 'the station id' : 'the one it has'}`;
  return isPassword(bytes.subarray(user.length), credentials, options.passwordPepper)
    ? undefined
    : 'wrong password';
}

function offeredSubprotocols(request: IncomingMessage): string[] {
  const header = request.headers['sec-websocket-protocol'] ?? '';
  return header
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}
