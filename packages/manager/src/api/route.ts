import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { Database } from '../store/db.ts';

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
  gatewayKey: string;
  passwordPepper: string;
  unknownStations: 'accept' | 'reject';
  isReady(): boolean | Promise<boolean>;
  now(): Date;
  /** Called when a station was written: what was believed of it may be wrong. */
  onStationChanged(stationId: string): void;
}
