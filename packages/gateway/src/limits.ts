import { SETTINGS } from '@evander/process';

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
  framesPerSecond: SETTINGS.stationFramesPerSecond.default,
  bytesPerSecond: SETTINGS.stationBytesPerSecond.default,
  queuedBytes: SETTINGS.maxQueuedMib.default * 1_048_576,
  connections: SETTINGS.maxConnections.default,
  connectionsPerAddress: SETTINGS.maxConnectionsPerAddress.default,
  handshakeMs: SETTINGS.handshakeSeconds.default * 1000,
};
