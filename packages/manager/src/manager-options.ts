import type { Log } from '@evander/process';
import type { FailureLimits } from './api-keys/failed-keys.ts';
import type { CertificateOptions } from './certificates/certificates.ts';
import type { FileOptions } from './files/files.ts';
import type { FtpOptions } from './files/ftp-server.ts';
import type { PncOptions } from './plug-and-charge/options.ts';
import type { RetainedData } from './retention/retention.store.ts';

export interface ManagerOptions {
  host: string;
  /** 0 for a free one. */
  apiPort: number;
  databaseUrl: string;
  databasePoolSize: number;
  /** How long a CSV export may take; as EVANDER_EXPORT_MINUTES unless told. */
  exportMs?: number;
  mqttUrl: string;
  mqttPrefix: string;
  /** What gateways show to be told of credentials. */
  gatewayKey: string;
  passwordPepper: string;
  /** What seals secrets that wait in the database. */
  sealingKey: string;
  /** What seals server keys on their way to gateways. */
  serverKeySecret: string;
  /** Where stations reach a manager over HTTP. */
  publicUrl?: string;
  /** May addresses that others chose be asked when they are not public. */
  outboundPrivate: boolean;
  certificates: CertificateOptions;
  /** Becomes an admin key when it is none yet. */
  adminKey?: string;
  /** Refusals for want of a valid API key that are borne within a minute. */
  failureLimits?: FailureLimits;
  /** Proxies whose forwarded address and scheme the API believes: addresses, or networks as 10.0.0.0/8. */
  trustedProxies?: string[];
  /** Vendors whose DataTransfers are recorded without their data: `vendorId`, `vendorId/messageId`, or `*` for all. */
  hiddenDataTransfers?: string[];
  unknownStations: 'accept' | 'reject';
  /** Streams of events that the API keeps open at a time; as EVANDER_EVENT_STREAMS unless told. */
  maxEventStreams?: number;
  /** How long an event is tried unsuccessfully before it is given up; as EVANDER_WEBHOOK_GIVE_UP_HOURS unless told. */
  webhookGiveUpHours?: number;
  /** For how many days each kind of data is kept, 0 forever; nothing is removed unless told. */
  retentionDays?: Record<RetainedData, number>;
  heartbeatSeconds: number;
  /** How long a station has for its answer to a command. */
  answerTimeoutMs: number;
  drainMs: number;
  plugAndCharge?: PncOptions;
  files?: FileOptions;
  /** Stations that have nothing but FTP are served, where this is told. */
  ftp?: FtpOptions | undefined;
  now?: () => Date;
  log: Log;
}
