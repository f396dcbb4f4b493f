import { SETTINGS } from '@evander/process';

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
  framesPerSecond: SETTINGS.stationFramesPerSecond.default,
  bytesPerSecond: SETTINGS.stationBytesPerSecond.default,
  queuedBytes: SETTINGS.maxQueuedMib.default * 1_048_576,
  connections: SETTINGS.maxConnections.default,
  connectionsPerAddress: SETTINGS.maxConnectionsPerAddress.default,
  handshakeMs: SETTINGS.handshakeSeconds.default * 1000,
};
