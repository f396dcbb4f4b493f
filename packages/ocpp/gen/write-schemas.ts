import { header } from './header.ts';
import type { Pair } from './read-schemas.ts';
import type { SchemaSet } from './schema-sets.ts';

/** The schemas as a module, so that nothing is read from disk at run time. */
export function writeSchemas(pairs: Pair[], { folder, prefix }: SchemaSet): string {
  const entries = pairs.map(
    ({ action, request, response }) =>
      `  ${action}: {\n    request: ${JSON.stringify(request)},\n    response: ${JSON.stringify(response)},\n  },\n`,
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
