import type { Log } from '@evander/process';
import type { FailureLimits } from './api-keys/failed-keys.ts';
import type { CertificateOptions } from './certificates/certificates.ts';
import type { FileOptions } from './files/files.ts';
import type { FtpOptions } from './files/ftp-server.ts';
import type { PncOptions } from './plug-and-charge/options.ts';
import type { RetainedData } from './retention/retention.store.ts';

export interface ManagerOptions {
  host: string;
  /** 0 for any free port. */
  apiPort: number;
  databaseUrl: string;
  databasePoolSize: number;
  /** Time limit of a CSV export; by default that of EVANDER_EXPORT_MINUTES. */
  exportMs?: number;
  mqttUrl: string;
  mqttPrefix: string;
  /** Key that gateways send when they ask for credentials. */
  gatewayKey: string;
  passwordPepper: string;
  /** Key that seals secrets in the database. */
  sealingKey: string;
  /** Key that seals server keys that are sent to gateways. */
  serverKeySecret: string;
  /** URL at which stations reach a manager over HTTP. */
  publicUrl?: string;
  /** Allow outbound requests to private addresses. */
  outboundPrivate: boolean;
  certificates: CertificateOptions;
  /** API key to add with the role admin, unless it exists. */
  adminKey?: string;
  /** Maximum failed authentications per minute. */
  failureLimits?: FailureLimits;
  /** Proxies whose forwarded address and scheme the API trusts: addresses, or networks such as 10.0.0.0/8. */
  trustedProxies?: string[];
  /** DataTransfers to record without their data: `vendorId`, `vendorId/messageId`, or `*` for all. */
  hiddenDataTransfers?: string[];
  unknownStations: 'accept' | 'reject';
  /** Maximum number of open event streams; by default that of EVANDER_EVENT_STREAMS. */
  maxEventStreams?: number;
  /** How long a failing event is retried before it is given up; by default that of EVANDER_WEBHOOK_GIVE_UP_HOURS. */
  webhookGiveUpHours?: number;
  /** Days to keep each kind of data (0 = forever); by default nothing is removed. */
  retentionDays?: Record<RetainedData, number>;
  heartbeatSeconds: number;
  /** Time that a station has to answer a command. */
  answerTimeoutMs: number;
  drainMs: number;
  plugAndCharge?: PncOptions;
  files?: FileOptions;
  /** Serves stations that support only FTP; undefined for no FTP server. */
  ftp?: FtpOptions | undefined;
  now?: () => Date;
  log: Log;
}
