import { isDeepStrictEqual } from 'node:util';
import type { Schema, Schemas } from '../http/json-schema.ts';

/** Moves every part of a schema that has a title into `named` and replaces it by a reference. Returns the new schema. */
export function nameSchemas(schema: Schema, named: Schemas): Schema {
  const { properties, items, anyOf } = schema;
  const inner: Schema = {
    ...schema,
    ...(properties && { properties: mapValues(properties, (one) => nameSchemas(one, named)) }),
    ...(items && { items: nameSchemas(items, named) }),
    ...(anyOf && { anyOf: anyOf.map((one) => nameSchemas(one, named)) }),
  };
  const { title, type } = inner;
  if (title === undefined) return inner;
  const reference = { $ref: `#/components/schemas/${title}` };
  if (!Array.isArray(type)) {
    add(title, inner, named);
    return reference;
  }
  add(title, { ...inner, type: type[0] as string }, named);
  return { anyOf: [reference, { type: 'null' }] };
}

function add(title: string, schema: Schema, named: Schemas): void {
  const known = named[title];
  if (known && !isDeepStrictEqual(known, schema)) throw new Error(`two schemas are called ${title}`);
  named[title] = schema;
}

function mapValues<V, W>(values: Record<string, V>, map: (value: V) => W): Record<string, W> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, map(value)]));
}
