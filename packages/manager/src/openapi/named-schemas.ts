import { isDeepStrictEqual } from 'node:util';
import type { Schema, Schemas } from '../http/json-schema.ts';

/** The schema with every part of it that has a title put into `named`, once, and referred to. */
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
    keep(title, inner, named);
    return reference;
  }
  keep(title, { ...inner, type: type[0] as string }, named);
  return { anyOf: [reference, { type: 'null' }] };
}

function keep(title: string, schema: Schema, named: Schemas): void {
  const known = named[title];
  if (known && !isDeepStrictEqual(known, schema)) throw new Error(`two schemas are called ${title}`);
  named[title] = schema;
}

function mapValues<V, W>(values: Record<string, V>, map: (value: V) => W): Record<string, W> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, map(value)]));
}
