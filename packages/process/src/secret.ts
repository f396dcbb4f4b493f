import { createHmac } from 'node:crypto';

/** The keys that gateways and managers share. */
export interface GatewayKeys {
  /** What gateways show to managers. */
  gatewayKey: string;
  /** What station passwords are hashed with. */
  passwordPepper: string;
  /** What seals server keys on their way to gateways. */
  serverKeySecret: string;
}

/**
 * What gateways are given instead of the secret, by `deploy/gateway-secret` too: it leads neither back to the secret nor to the keys that
 * are for managers only. It is the pepper of station passwords, so that hashes from before there was a secret for gateways stay valid.
 */
export function gatewaySecretOf(secret: string): string {
  return derive(secret, 'station-password');
}

/** A key of its own for each purpose, so that what one of them gives away says nothing of the others. */
export function gatewayKeys(gatewaySecret: string): GatewayKeys {
  return {
    gatewayKey: derive(gatewaySecret, 'gateway'),
    passwordPepper: gatewaySecret,
    serverKeySecret: derive(gatewaySecret, 'server-key'),
  };
}

/** What seals, for managers only, what waits in the database: keys of authorities and webhooks, passwords that are to be sent. */
export function sealingKeyOf(secret: string): string {
  return derive(secret, 'sealing');
}

function derive(secret: string, purpose: string): string {
  return createHmac('sha256', secret).update(`evander ${purpose}`).digest('base64url');
}

/**
 * What is kept of a station's password. A keyed hash instead of a slow one: 10,000 stations that reconnect at once must not
 * wait for it, and without the pepper, which is not in the database, a stolen hash opens nothing.
 */
export function hashStationPassword(password: Buffer, stationId: string, pepper: string): string {
  return createHmac('sha256', pepper).update(stationId).update('\0').update(password).digest('base64url');
}
