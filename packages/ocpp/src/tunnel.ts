import type * as has2be from './has2be-payloads.gen.ts';
import { SCHEMAS as HAS2BE_SCHEMAS } from './has2be-schemas.gen.ts';
import type * as oca from './pnc-payloads.gen.ts';
import { SCHEMAS as OCA_SCHEMAS } from './pnc-schemas.gen.ts';
import type { Schema } from './schema.ts';
import { DIALECTS } from './tunnel-actions.ts';
import type { Dialect, TunnelAction } from './tunnel-actions.ts';
import { checkBySchema, readBySchema } from './validate.ts';
import type { Reading } from './validate.ts';

/** Request payloads of each dialect by action. */
export interface TunnelRequests {
  oca: oca.Requests;
  has2be: has2be.Requests;
}
export interface TunnelResponses {
  oca: oca.Responses;
  has2be: has2be.Responses;
}

type SchemaPair = { readonly request: Schema; readonly response: Schema };

/** Schemas of each dialect by action. */
export const TUNNEL_SCHEMAS: {
  readonly [D in Dialect]: { readonly [A in TunnelAction<D>]: SchemaPair };
} = { oca: OCA_SCHEMAS, has2be: HAS2BE_SCHEMAS };

/** A message inside a DataTransfer. */
export interface Tunnelled {
  dialect: Dialect;
  action: string;
  kind: 'request' | 'response';
}

/** Strict check for messages that Evander sends. Throws an OcppError that names the field and the fault. */
export function checkTunnelled(message: Tunnelled, payload: unknown): void {
  checkBySchema(schemaOf(message), payload);
}

/**
 * Tolerant reading of stations' messages: all parts are tolerant, because lengths and values differ between implementations of the tunnel.
 * Throws an OcppError when the usable parts are not enough.
 */
export function readTunnelled(message: Tunnelled, payload: unknown): Reading<unknown> {
  return readBySchema({ schema: schemaOf(message), payload, isLenient: true });
}

/** The action for a messageId, case-insensitive; undefined when the dialect has none. */
export function tunnelAction(dialect: Dialect, messageId: string): string | undefined {
  const desired = messageId.toLowerCase();
  return Object.keys(DIALECTS[dialect].actions).find((action) => action.toLowerCase() === desired);
}

/** The dialect for a vendorId, case-insensitive; undefined for any other vendor. */
export function dialectOf(vendorId: string): Dialect | undefined {
  const desired = vendorId.toLowerCase();
  return (Object.keys(DIALECTS) as Dialect[]).find((dialect) => DIALECTS[dialect].vendorId === desired);
}

function schemaOf({ dialect, action, kind }: Tunnelled): Schema {
  const schemas: Record<string, SchemaPair> = TUNNEL_SCHEMAS[dialect];
  const pair = Object.hasOwn(schemas, action) ? schemas[action] : undefined;
  if (!pair) throw new Error(`the dialect ${dialect} has no action ${action}`);
  return pair[kind];
}
