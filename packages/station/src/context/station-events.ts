import type { ConnectorStatus } from '../options/connector-status.ts';

/** An invalid message from the manager. */
export type Violation = {
  kind: 'frame' | 'request' | 'response';
  action?: string;
  fault: string;
  text: string;
};

/** Events of a station. */
export type StationEvents = {
  connected: [];
  disconnected: [code: number];
  /** An attempt to connect failed, and another follows. */
  refused: [error: Error];
  received: [data: string | Buffer];
  sent: [data: string | Buffer];
  answered: [answer: { action: string; latencyMs: number; isError: boolean; error?: string }];
  booted: [status: 'Accepted' | 'Pending' | 'Rejected'];
  /** With the status of its answer, or the error code. */
  command: [action: string, outcome: string];
  connectorStatus: [{ connectorId: number; status: ConnectorStatus; errorCode: string }];
  /** Nothing was started. */
  tagRefused: [{ connectorId: number; idTag: string; status: string }];
  /** The StartTransaction is answered, or discarded. */
  sessionStarted: [{ connectorId: number; idTag: string; transactionId: number | undefined }];
  /** A periodic sample within a session. */
  sampled: [{ connectorId: number; powerW: number; energyWh: number }];
  sessionStopped: [{ connectorId: number; energyWh: number; reason: string }];
  /** A file was downloaded completely, with real transfers. */
  fetched: [file: { location: string; bytes: Buffer }];
  violation: [violation: Violation];
};
