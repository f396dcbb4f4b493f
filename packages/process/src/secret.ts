import { createHmac } from 'node:crypto';

/** A key of its own for each purpose, so that what one of them gives away says nothing of the others. */
export function deriveKey(
  secret: string,
  purpose: 'gateway' | 'station-password' | 'sealing' | 'server-key',
): string {
  return createHmac('sha256', secret).update(`evander ${purpose}`).digest('base64url');
}

/**
 * What is kept of a station's password. A keyed hash instead of a slow one: 10,000 stations that reconnect at once must not
 * wait for it, and without the pepper, which is not in the database, a stolen hash opens nothing.
 */
export function hashStationPassword(password: Buffer, stationId: string, pepper: string): string {
  return createHmac('sha256', pepper).update(stationId).update('\0').update(password).digest('base64url');
}
