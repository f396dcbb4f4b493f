import Fastify from 'fastify';
import type { TestApi } from '../http/harness.ts';

export interface Document extends Record<string, unknown> {
  components: { schemas: Record<string, { examples?: unknown[] } & Record<string, unknown>> };
}

/** Returns why a value does not match a named schema of the API description; null if it does. */
export type SchemaCheck = (name: string, value: unknown) => Promise<string | null>;

/** The description that an API serves, and a check with its schemas. */
export async function readDescription(api: TestApi): Promise<{ document: Document; check: SchemaCheck }> {
  const document = (await api.send('GET', '/openapi.json', undefined, null)).body as unknown as Document;
  const app = Fastify({
    ajv: {
      customOptions: { strict: false, coerceTypes: false, removeAdditional: false, useDefaults: false },
    },
  });
  app.addSchema({ $id: 'openapi', ...document });
  for (const name of Object.keys(document.components.schemas))
    app.post(`/${name}`, {
      schema: {
        body: { type: 'object', properties: { value: { $ref: `openapi#/components/schemas/${name}` } } },
      },
      handler: () => ({}),
    });
  const check: SchemaCheck = async (name, value) => {
    const answer = await app.inject({ method: 'POST', url: `/${name}`, payload: { value } });
    return answer.statusCode === 200 ? null : answer.json<{ message: string }>().message;
  };
  return { document, check };
}
