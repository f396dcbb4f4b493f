import type { Sealer } from '@evander/process';
import type { KeyRing } from './api-keys/authentication.ts';
import type { Authority } from './certificates/authority.ts';
import type { CertificateJudge } from './certificates/client-certificate.ts';
import type { CallMaker } from './commands/call-maker.ts';
import type { Database } from './database/database.ts';
import type { EventFeed } from './events/feed.ts';
import type { Files } from './files/files.ts';
import type { ManagerMetrics } from './observability/metrics.ts';

/** What the routes work with. */
export interface ApiContext {
  database: Database;
  keys: KeyRing;
  callMaker: CallMaker;
  feed: EventFeed;
  /** Seals the secrets of webhooks. */
  webhookSealer: Sealer;
  /** Streams of events that may be open at a time. */
  maxEventStreams: number;
  files: Files;
  metrics: ManagerMetrics;
  passwordPepper: string;
  unknownStations: 'accept' | 'reject';
  /** Told to stations that boot. */
  heartbeatSeconds: number;
  authority: Authority;
  judge: CertificateJudge;
  /** Seals server keys on their way to a gateway. */
  serverKeySealer: Sealer;
  /** May events be posted to addresses that are not public. */
  outboundPrivate: boolean;
  now(): Date;
  isReady(): boolean | Promise<boolean>;
  /** Called when a station was written: what was believed of it may be wrong. */
  onStationChanged(stationId: string): void;
}
