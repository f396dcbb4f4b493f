import type { Sealer } from '@evander/process';
import type { KeyRing } from './api-keys/authentication.ts';
import type { Authority } from './certificates/authority.ts';
import type { CertificateJudge } from './certificates/client-certificate.ts';
import type { CallMaker } from './commands/call-maker.ts';
import type { Database } from './database/database.ts';
import type { EventFeed } from './events/feed.ts';
import type { Files } from './files/files.ts';
import type { ManagerMetrics } from './observability/metrics.ts';

/** Services and settings that the API routes use. */
export interface ApiContext {
  database: Database;
  keys: KeyRing;
  callMaker: CallMaker;
  feed: EventFeed;
  /** Seals the secrets of webhooks. */
  webhookSealer: Sealer;
  /** Maximum number of open event streams. */
  maxEventStreams: number;
  files: Files;
  metrics: ManagerMetrics;
  passwordPepper: string;
  unknownStations: 'accept' | 'reject';
  /** Default heartbeat interval for stations that boot. */
  heartbeatSeconds: number;
  authority: Authority;
  judge: CertificateJudge;
  /** Seals server keys that are sent to gateways. */
  serverKeySealer: Sealer;
  /** Allow events to be posted to private addresses. */
  outboundPrivate: boolean;
  now(): Date;
  isReady(): boolean | Promise<boolean>;
  /** Call after a change to a station: cached data about it is outdated. */
  onStationChanged(stationId: string): void;
}
