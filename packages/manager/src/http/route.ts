import type { Sealer } from '@evander/process';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { Authority } from '../certificates/authority.ts';
import type { CertificateJudge } from '../certificates/client-certificate.ts';
import type { CallMaker } from '../commands/call-maker.ts';
import type { EventFeed } from '../events/feed.ts';
import type { Database } from '../database/database.ts';
import type { Files } from '../files/files.ts';
import type { ManagerMetrics } from '../observability/metrics.ts';
import type { Role } from '../api-keys/api-keys.store.ts';
import type { KeyRing } from '../api-keys/authentication.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may use the route: keys of at least this role, gateways with their own key, or anyone. Every route says it. */
    role?: Role | 'gateway' | 'anyone';
    /** Statuses of problems that are the route's own, for its description. */
    problems?: number[];
    /** The request sends a command under the id of `commandIdOf`: done twice, it has one effect. */
    sendsCommand?: boolean;
  }
}

/** The server as routes see it: their schemas give requests and answers their types. */
export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

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
