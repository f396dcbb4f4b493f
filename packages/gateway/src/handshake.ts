import { SHARED_SETTINGS } from '@evander/process';
import type { CredentialMemory } from './credential-memory.ts';
import { isPassword, ManagerAwayError } from './credentials.ts';
import type { Credentials } from './credentials.ts';
import type { FailedHandshakes } from './failed-handshakes.ts';
import { readTarget } from './identity.ts';
import { Refusal } from './refusal.ts';
import type { Attempt } from './trusted-proxies.ts';

/** An accepted station and the security profile that its handshake meets. */
export interface Admission {
  stationId: string;
  securityProfile: number;
  /** False when the subprotocol is assumed: the response must not name one then. */
  isSubprotocolOffered: boolean;
  /** The station sends a Heartbeat at least this often. */
  heartbeatSeconds: number;
}

export interface HandshakeOptions {
  credentials: CredentialMemory;
  passwordPepper: string;
  /** Handshakes below this profile are rejected, whatever profile the station is registered with. */
  lowestSecurityProfile: number;
  failedHandshakes: FailedHandshakes;
}

const HEARTBEAT_SECONDS = SHARED_SETTINGS.heartbeatSeconds.default;

/**
 * Runs the checks before the 101 response, in the order of ocppj.md §1: target, identity, security profile, credentials, subprotocol.
 * Returns the accepted station, or the refusal of the first failed check.
 */
export async function admit(attempt: Attempt, options: HandshakeOptions): Promise<Admission | Refusal> {
  const target = readTarget(attempt.target);
  if (target.fault !== undefined) return new Refusal(400, target.fault);
  const { stationId } = target;
  const { failedHandshakes, credentials } = options;
  const waitSeconds = failedHandshakes.secondsToWait(attempt.remoteAddress, stationId);
  if (waitSeconds > 0) {
    // Uses only remembered credentials, at the cost of an HMAC: an attacker must not lock out the station that it impersonates.
    const known = credentials.remembered(stationId, attempt.clientCertificate);
    if (!known || evaluate(known, attempt, options) instanceof Refusal)
      return new Refusal(429, 'too many failed handshakes', { 'Retry-After': String(waitSeconds) });
  }
  const outcome = await evaluateByManager(stationId, attempt, options);
  if (!(outcome instanceof Refusal)) failedHandshakes.forgive(attempt.remoteAddress, stationId);
  else if (outcome.status < 500) failedHandshakes.add(attempt.remoteAddress, stationId);
  return outcome;
}

async function evaluateByManager(
  stationId: string,
  attempt: Attempt,
  options: HandshakeOptions,
): Promise<Admission | Refusal> {
  try {
    const credentials = await options.credentials.credentialsOf(stationId, attempt.clientCertificate);
    return credentials ? evaluate(credentials, attempt, options) : new Refusal(404, 'unknown station');
  } catch (error) {
    if (!(error instanceof ManagerAwayError)) throw error;
    // Not 401: the station would take that for wrong credentials (ocppj.md AUT.12).
    return new Refusal(503, 'no manager answers for credentials', { 'Retry-After': '5' });
  }
}

/** The checks that need the station's credentials. */
function evaluate(
  credentials: Credentials,
  attempt: Attempt,
  options: HandshakeOptions,
): Admission | Refusal {
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
    return new Refusal(400, unsupportedSubprotocols(offered));
  return { stationId, securityProfile: met, isSubprotocolOffered, heartbeatSeconds };
}

function unsupportedSubprotocols(offered: string[]): string {
  return offered.length === 0
    ? 'offers no subprotocol; ocpp1.6 is required (set assumedSubprotocol of the station to accept it anyway)'
    : `offers only the subprotocols ${offered.join(', ').slice(0, 200)}; ocpp1.6 is required`;
}

/**
 * Returns the profile that a handshake meets, which must not be lower than the station's (ocppj.md TLS.1): 3 with the station's
 * certificate, 2 with its password over TLS, 1 with its password alone.
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
      ? new Refusal(401, `the client certificate is rejected: ${certificate?.fault ?? 'not checked'}`)
      : new Refusal(403, 'the station must show a client certificate: its security profile is 3');
  const wrong = wrongCredentials(attempt, credentials, options.passwordPepper);
  if (wrong === undefined) return attempt.isSecure ? 2 : 1;
  if (required === 0) return 0;
  return new Refusal(401, wrong, { 'WWW-Authenticate': 'Basic realm="Evander", charset="UTF-8"' });
}

function wrongCredentials(attempt: Attempt, credentials: Credentials, pepper: string): string | undefined {
  const [, encoded] = /^Basic +([A-Za-z0-9+/=_-]+) *$/i.exec(attempt.headers.authorization ?? '') ?? [];
  if (encoded === undefined) return 'no Basic credentials';
  // The password may contain any byte, even colons: it starts after the known identity (ocppj.md AUT.5).
  const bytes = Buffer.from(encoded, 'base64');
  const user = Buffer.from(`${credentials.userName ?? credentials.stationId}:`);
  if (!bytes.subarray(0, user.length).equals(user))
    return `the Basic user name is not ${credentials.userName == null ? 'the station id' : 'the configured one'}`;
  return isPassword(bytes.subarray(user.length), credentials, pepper) ? undefined : 'wrong password';
}

function offeredSubprotocols({ headers }: Attempt): string[] {
  const header = headers['sec-websocket-protocol'] ?? '';
  return header
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}
