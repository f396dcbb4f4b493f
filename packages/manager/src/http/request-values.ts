import type { FastifyInstance } from 'fastify';
import { mayBeEmpty } from './json-schema.ts';
import type { Schema } from './json-schema.ts';
import { Problem } from './problem.ts';

/** Far more than any OCPP message has. */
const MAX_DEPTH = 50;

interface ObjectSchema {
  properties?: Record<string, { type?: unknown }>;
}

/**
 * Parses the numbers and booleans in paths and queries, which arrive as text; bodies are not converted: there "5" is not a number.
 * Rejects U+0000 and lone surrogates, which PostgreSQL cannot store, and nesting so deep that walking it would overflow the stack.
 */
export function readRequestValues(app: FastifyInstance): void {
  app.addHook('preValidation', async (request) => {
    const { schema } = request.routeOptions;
    request.params = readTexts(request.params, schema?.params as ObjectSchema | undefined);
    request.query = readTexts(request.query, schema?.querystring as ObjectSchema | undefined);
    const body = schema?.body as Schema | undefined;
    if (body && request.body === undefined) request.body = emptyBody(body);
    for (const place of [request.params, request.query, request.body]) refuseUnstorable(place, '', 0);
  });
}

/** The body of a request without one: empty if the schema allows that. Throws Problem otherwise. */
function emptyBody(schema: Schema): object {
  // A body without a type in its schema is a stream that the handler reads.
  if (schema.type === undefined || mayBeEmpty(schema)) return {};
  const names = schema.required ?? Object.keys(schema.properties ?? {});
  throw new Problem(400, `the body is missing; send a JSON object with ${names.join(', ')}`);
}

function readTexts(values: unknown, schema: ObjectSchema | undefined): unknown {
  if (!schema?.properties) return values;
  const { properties } = schema;
  return Object.fromEntries(
    Object.entries(values as Record<string, unknown>).map(([name, value]) => [
      name,
      readText(value, Object.hasOwn(properties, name) ? properties[name]?.type : undefined),
    ]),
  );
}

// A value that is not of its type stays text, and the schema rejects it.
function readText(value: unknown, type: unknown): unknown {
  if (type === 'integer' && typeof value === 'string' && /^-?\d{1,30}$/.test(value)) return Number(value);
  if (type === 'boolean' && value === 'true') return true;
  if (type === 'boolean' && value === 'false') return false;
  return value;
}

/** Throws Problem for texts that PostgreSQL cannot store and for values that are nested too deeply. */
export function refuseUnstorable(value: unknown, field: string, depth: number): void {
  if (typeof value === 'string') {
    if (value.includes('\0'))
      throw new Problem(400, `${field} must not contain the character U+0000`, { field });
    if (/\p{Cs}/u.test(value))
      throw new Problem(400, `${field} must not contain a lone surrogate`, { field });
  } else if (typeof value === 'object' && value !== null) {
    if (depth === MAX_DEPTH)
      throw new Problem(400, `the body is nested more than ${MAX_DEPTH} levels deep; send a flatter one`);
    for (const [name, inner] of Object.entries(value))
      refuseUnstorable(inner, field === '' ? name : `${field}.${name}`, depth + 1);
  }
}
