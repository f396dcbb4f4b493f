import type { Schema } from '@evander/ocpp';
import type { Db } from '../database/database.ts';
import * as issuedIds from '../database/issued-ids.ts';
import type { IdKind } from '../database/issued-ids.ts';

type Json = Record<string, unknown>;
type Ids = Partial<Record<string, IdKind>>;

/** Copies a request and fills in the ids that the CSMS assigns; ids that the request has are recorded as used. */
export async function fillIn(
  db: Db,
  stationId: string,
  { request, ids = {} }: { request: Json; ids?: Ids | undefined },
): Promise<Json> {
  const filled = structuredClone(request);
  for (const [path, kind] of Object.entries(ids)) {
    const names = path.split('.');
    const field = names.pop() ?? '';
    const parent = names.reduce<unknown>((inner, name) => (inner as Json | undefined)?.[name], filled);
    if (kind === undefined || typeof parent !== 'object' || parent === null) continue;
    const id = (parent as Json)[field];
    if (id === undefined) (parent as Json)[field] = await issuedIds.next(db, stationId, kind);
    else if (Number.isInteger(id)) await issuedIds.claim(db, stationId, { kind, id: id as number });
  }
  return filled;
}

/** A request's schema for API clients, in which ids that the CSMS assigns are optional. */
export function openSchema(schema: Schema, ids: Ids = {}): Schema {
  return Object.keys(ids).reduce((open, path) => withOptional(open, path.split('.')), schema);
}

function withOptional(schema: Schema, [name, ...rest]: string[]): Schema {
  if (name === undefined) return schema;
  if (rest.length === 0)
    return { ...schema, required: (schema.required ?? []).filter((field) => field !== name) };
  const inner = schema.properties?.[name];
  return inner
    ? { ...schema, properties: { ...schema.properties, [name]: withOptional(inner, rest) } }
    : schema;
}
