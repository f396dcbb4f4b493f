import { GATEWAY_SETTINGS } from './settings.ts';

/** Limits on what stations and other clients may use. */
export interface GatewayLimits {
  /** Sustained rate of one station; ten seconds' worth may come in a burst. */
  framesPerSecond: number;
  bytesPerSecond: number;
  /** Total of all stations' unanswered calls, in bytes. */
  queuedBytes: number;
  connections: number;
  connectionsPerAddress: number;
  /** For the TLS handshake, and again for the request. */
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
