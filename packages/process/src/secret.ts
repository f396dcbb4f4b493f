import { createHmac } from 'node:crypto';

/** Keys that gateways and managers share. */
export interface GatewayKeys {
  /** Authenticates gateways to managers. */
  gatewayKey: string;
  /** Key for hashing station passwords. */
  passwordPepper: string;
  /** Seals server keys on their way to gateways. */
  serverKeySecret: string;
}

/**
 * Derives the gateways' secret; `deploy/gateway-secret` does the same. It reveals neither the secret nor the managers' own keys. It is also
 * the pepper of station passwords, so that hashes from before there was a gateway secret stay valid.
 */
export function gatewaySecretOf(secret: string): string {
  return derive(secret, 'station-password');
}

/** Derives a separate key for each purpose, so that one leaked key reveals nothing about the others. */
export function gatewayKeys(gatewaySecret: string): GatewayKeys {
  return {
    gatewayKey: derive(gatewaySecret, 'gateway'),
    passwordPepper: gatewaySecret,
    serverKeySecret: derive(gatewaySecret, 'server-key'),
  };
}

/** Key, for managers only, that seals secrets in the database: keys of authorities and webhooks, passwords to be sent. */
export function sealingKeyOf(secret: string): string {
  return derive(secret, 'sealing');
}

function derive(secret: string, purpose: string): string {
  return createHmac('sha256', secret).update(`evander ${purpose}`).digest('base64url');
}

/**
 * Hashes a station's password for storage. The hash is keyed rather than slow: 10,000 stations that reconnect together must not wait for
 * it, and a stolen hash is useless without the pepper, which is not in the database.
 */
export function hashStationPassword(password: Buffer, stationId: string, pepper: string): string {
  return createHmac('sha256', pepper).update(stationId).update('\0').update(password).digest('base64url');
}
