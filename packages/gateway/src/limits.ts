import { GATEWAY_SETTINGS } from './settings.ts';

/** What stations, and whoever else connects, may cost. */
export interface GatewayLimits {
  /** Of one station, for long; ten times as many at once. */
  framesPerSecond: number;
  bytesPerSecond: number;
  /** Of all stations' unanswered calls together, in bytes. */
  queuedBytes: number;
  connections: number;
  connectionsPerAddress: number;
  /** For the TLS handshake, and then for the request. */
  handshakeMs: number;
}

export const DEFAULT_LIMITS: GatewayLimits = {
  framesPerSecond: GATEWAY_SETTINGS.stationFramesPerSecond.default,
  bytesPerSecond: GATEWAY_SETTINGS.stationBytesPerSecond.default,
  queuedBytes: GATEWAY_SETTINGS.maxQueuedMib.default * 1_048_576,
  connections: GATEWAY_SETTINGS.maxConnections.default,
  connectionsPerAddress: GATEWAY_SETTINGS.maxConnectionsPerAddress.default,
  handshakeMs: GATEWAY_SETTINGS.handshakeSeconds.default * 1000,
};
