import { readdirSync, readFileSync } from 'node:fs';
import type { Schema } from '../src/schema.ts';
import { OCPP16 } from './schema-sets.ts';
import type { SchemaSet } from './schema-sets.ts';

export interface Pair {
  readonly action: string;
  readonly request: Schema;
  readonly response: Schema;
}

const KEYWORDS = new Set<string>([
  '$schema',
  '$id',
  'title',
  'description',
  'type',
  'properties',
  'required',
  'additionalProperties',
  'items',
  'minItems',
  'maxItems',
  'enum',
  'maxLength',
  'format',
  'multipleOf',
  'minimum',
  'maximum',
  'default',
] satisfies (keyof Schema)[]);

const RESPONSE = 'Response';

/** The schema pairs of a folder, ordered by action name. */
export function readSchemas(folder: URL, set: SchemaSet = OCPP16): Pair[] {
  const names = readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.slice(0, -'.json'.length));
  checkNames(new Set(names), set);
  const idOf = (name: string): string => `urn:evander:${set.folder}:${name}`;
  return names
    .filter((name) => !name.endsWith(RESPONSE))
    .sort()
    .map((action) => ({
      action,
      request: readSchema(folder, action, { id: idOf(action), title: `${action}Request` }),
      response: readSchema(folder, `${action}${RESPONSE}`, {
        id: idOf(`${action}${RESPONSE}`),
        title: `${action}${RESPONSE}`,
      }),
    }));
}

function checkNames(names: Set<string>, { actions, table }: SchemaSet): void {
  const desired = actions.flatMap((action) => [action, `${action}${RESPONSE}`]);
  const missing = desired.filter((name) => !names.has(name));
  if (missing.length > 0)
    throw new Error(`schema missing: ${missing.map((name) => `${name}.json`).join(', ')}`);
  const unknown = [...names].filter((name) => !desired.includes(name));
  if (unknown.length > 0)
    throw new Error(`no such action in ${table}: ${unknown.map((n) => `${n}.json`).join(', ')}`);
}

function readSchema(folder: URL, name: string, { id, title }: { id: string; title: string }): Schema {
  const schema = JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')) as Schema;
  if (schema.$id !== id) throw new Error(`${name}.json: $id must be ${id}`);
  if (schema.title !== title) throw new Error(`${name}.json: title must be ${title}`);
  checkKeywords(schema, name);
  return schema;
}

function checkKeywords(schema: Schema, where: string): void {
  for (const keyword of Object.keys(schema))
    if (!KEYWORDS.has(keyword))
      throw new Error(`${where}: tolerant reading does not know the keyword ${keyword}`);
  if (schema.type === 'object' && schema.additionalProperties !== false)
    throw new Error(`${where}: additionalProperties must be false`);
  for (const [name, property] of Object.entries(schema.properties ?? {}))
    checkKeywords(property, `${where}.${name}`);
  if (schema.items) checkKeywords(schema.items, `${where}[]`);
}
