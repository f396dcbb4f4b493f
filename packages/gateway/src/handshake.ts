import { SHARED_SETTINGS } from '@evander/process';
import type { CredentialMemory } from './credential-memory.ts';
import { isPassword, ManagerAwayError } from './credentials.ts';
import type { Credentials } from './credentials.ts';
import type { FailedHandshakes } from './failed-handshakes.ts';
import { readTarget } from './identity.ts';
import { Refusal } from './refusal.ts';
import type { Attempt } from './trusted-proxies.ts';

/** A station that is accepted, and the security profile that its handshake has met. */
export interface Admission {
  stationId: string;
  securityProfile: number;
  /** False where the subprotocol is assumed: the answer must not name one then. */
  isSubprotocolOffered: boolean;
  /** How often the station sends a Heartbeat at least. */
  heartbeatSeconds: number;
}

export interface HandshakeOptions {
  credentials: CredentialMemory;
  passwordPepper: string;
  /** Nothing below it is let in, whatever a station is registered with. */
  lowestSecurityProfile: number;
  failedHandshakes: FailedHandshakes;
}

const HEARTBEAT_SECONDS = SHARED_SETTINGS.heartbeatSeconds.default;

/**
 * The checks before the 101, in the order of ocppj.md §1: target, identity, security profile, credentials, subprotocol. Returns which
 * station is accepted, or the refusal of the first check that failed.
 */
export async function admit(attempt: Attempt, options: HandshakeOptions): Promise<Admission | Refusal> {
  const target = readTarget(attempt.target);
  if (target.fault !== undefined) return new Refusal(400, target.fault);
  const { stationId } = target;
  const { failedHandshakes, credentials } = options;
  const waitSeconds = failedHandshakes.secondsToWait(attempt.remoteAddress, stationId);
  if (waitSeconds > 0) {
    // Judged by what is at hand, at the cost of an HMAC: a guesser must not lock out the station that it pretends to be.
    const known = credentials.remembered(stationId, attempt.clientCertificate);
    if (!known || judge(known, attempt, options) instanceof Refusal)
      return new Refusal(429, 'too many failed handshakes', { 'Retry-After': String(waitSeconds) });
  }
  const outcome = await judgeByManager(stationId, attempt, options);
  if (!(outcome instanceof Refusal)) failedHandshakes.forgive(attempt.remoteAddress, stationId);
  else if (outcome.status < 500) failedHandshakes.add(attempt.remoteAddress, stationId);
  return outcome;
}

async function judgeByManager(
  stationId: string,
  attempt: Attempt,
  options: HandshakeOptions,
): Promise<Admission | Refusal> {
  try {
    const credentials = await options.credentials.credentialsOf(stationId, attempt.clientCertificate);
    return credentials ? judge(credentials, attempt, options) : new Refusal(404, 'unknown station');
  } catch (error) {
    if (!(error instanceof ManagerAwayError)) throw error;
    // Not 401: a station takes that for wrong credentials of its own (ocppj.md AUT.12).
    return new Refusal(503, 'no manager can be asked for credentials', { 'Retry-After': '5' });
  }
}

/** The guards that need to know the station. */
function judge(credentials: Credentials, attempt: Attempt, options: HandshakeOptions): Admission | Refusal {
  const { stationId, assumedSubprotocol, heartbeatSeconds = HEARTBEAT_SECONDS } = credentials;
  const met = securityProfileOf(attempt, credentials, options);
  if (met instanceof Refusal) return met;
  if (met < options.lowestSecurityProfile)
    return new Refusal(
      403,
      `security profile ${met} is not allowed here: ${options.lowestSecurityProfile} is the lowest`,
    );
  const offered = offeredSubprotocols(attempt);
  const isSubprotocolOffered = offered.includes('ocpp1.6');
  if (!isSubprotocolOffered && (offered.length > 0 || assumedSubprotocol !== 'ocpp1.6'))
    return new Refusal(400, notSpoken(offered));
  return { stationId, securityProfile: met, isSubprotocolOffered, heartbeatSeconds };
}

function notSpoken(offered: string[]): string {
  return offered.length === 0
    ? 'offers no subprotocol; ocpp1.6 is spoken here (assumedSubprotocol of the station accepts it all the same)'
    : `offers only the subprotocols ${offered.join(', ').slice(0, 200)}; ocpp1.6 is spoken here`;
}

/**
 * The profile that a handshake meets, at least the one that the station is registered with (ocppj.md TLS.1): 3 with a certificate that is
 * the station's, 2 with its password over TLS, 1 with its password alone.
 */
function securityProfileOf(
  attempt: Attempt,
  credentials: Credentials,
  options: HandshakeOptions,
): number | Refusal {
  const { securityProfile: required, certificate } = credentials;
  const shown = attempt.isSecure && attempt.clientCertificate !== undefined;
  if (shown && certificate?.fault === null) return 3;
  if (required > 1 && !attempt.isSecure)
    return new Refusal(403, `the station must use TLS: its security profile is ${required}`);
  if (required === 3)
    return shown
      ? new Refusal(401, `the client certificate is refused: ${certificate?.fault ?? 'not judged'}`)
      : new Refusal(403, 'the station must show a client certificate: its security profile is 3');
  const wrong = wrongCredentials(attempt, credentials, options.passwordPepper);
  if (wrong === undefined) return attempt.isSecure ? 2 : 1;
  if (required === 0) return 0;
  return new Refusal(401, wrong, { 'WWW-Authenticate': 'Basic realm="Evander", charset="UTF-8"' });
}

function wrongCredentials(attempt: Attempt, credentials: Credentials, pepper: string): string | undefined {
  const [, encoded] = /^Basic +([A-Za-z0-9+/=_-]+) *$/i.exec(attempt.headers.authorization ?? '') ?? [];
  if (encoded === undefined) return 'no Basic credentials';
  // The password may hold any byte, colons too: only the known identity tells where it begins (ocppj.md AUT.5).
  const bytes = Buffer.from(encoded, 'base64');
  const user = Buffer.from(`${credentials.userName ?? credentials.stationId}:`);
  if (!bytes.subarray(0, user.length).equals(user))
    return `the Basic user name is not ${credentials.userName == null ? 'the station id' : 'the one it has'}`;
  return isPassword(bytes.subarray(user.length), credentials, pepper) ? undefined : 'wrong password';
}

function offeredSubprotocols({ headers }: Attempt): string[] {
  const header = headers['sec-websocket-protocol'] ?? '';
  return header
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}
