import type { Schema } from './json-schema.ts';

/**
 * The schema of an OCPP request as a schema for a body. Only the root keeps its title: some titles of nested schemas are used for different
 * schemas in several messages.
 */
export function ocppBody(schema: object, prefix = ''): Schema {
  const { title = '', ...body } = schema as Schema;
  return { ...withoutTitles(body), title: prefix + title };
}

function withoutTitles({
  title: _title,
  $id: _id,
  $schema: _schema,
  properties,
  items,
  ...rest
}: Schema): Schema {
  const inner = Object.entries(properties ?? {}).map(([name, one]) => [name, withoutTitles(one)] as const);
  return {
    ...rest,
    ...(properties && { properties: Object.fromEntries(inner) }),
    ...(items && { items: withoutTitles(items) }),
  };
}
