import type { Pair } from './read-schemas.ts';
import { HEADER } from './header.ts';

/** The schemas as a module, so that nothing is read from disk at run time. */
export function writeSchemas(pairs: Pair[]): string {
  const entries = pairs.map(
    ({ action, request, response }) =>
      `  ${action}: {\n    request: ${JSON.stringify(request)},\n    response: ${JSON.stringify(response)},\n  },\n`,
  );
  return `${HEADER}
import type { Requests } from './payloads.gen.ts';
import type { Schema } from './schema.ts';

export const SCHEMAS: {
  readonly [A in keyof Requests]: { readonly request: Schema; readonly response: Schema };
} = {
${entries.join('')}};
`;
}
