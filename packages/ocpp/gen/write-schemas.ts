import type { Schema } from '../src/schema.ts';
import { header } from './header.ts';
import type { Pair } from './read-schemas.ts';
import type { SchemaSet } from './schema-sets.ts';

/** The schemas as a module, so that nothing is read from disk at runtime. */
export function writeSchemas(pairs: Pair[], { folder, prefix }: SchemaSet): string {
  const entries = pairs.map(
    ({ action, request, response }) =>
      `  ${action}: {\n    request: ${JSON.stringify(bounded(request))},\n    response: ${JSON.stringify(bounded(response))},\n  },\n`,
  );
  return `${header(folder)}
import type { Requests } from './${prefix}payloads.gen.ts';
import type { Schema } from './schema.ts';

export const SCHEMAS: {
  readonly [A in keyof Requests]: { readonly request: Schema; readonly response: Schema };
} = {
${entries.join('')}};
`;
}

/** OCPP integers are signed 32-bit numbers (G.6) unless the schema gives other bounds. */
function bounded(schema: Schema): Schema {
  const { properties, items } = schema;
  return {
    ...(schema.type === 'integer' && { minimum: -(2 ** 31), maximum: 2 ** 31 - 1 }),
    ...schema,
    ...(properties && {
      properties: Object.fromEntries(
        Object.entries(properties).map(([name, property]) => [name, bounded(property)]),
      ),
    }),
    ...(items && { items: bounded(items) }),
  };
}
