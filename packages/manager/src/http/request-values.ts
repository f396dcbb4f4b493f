import type { FastifyInstance } from 'fastify';
import { mayBeEmpty } from './json-schema.ts';
import type { Schema } from './json-schema.ts';
import { Problem } from './problem.ts';

/** No message of OCPP comes near. */
const MAX_DEPTH = 50;

interface ObjectSchema {
  properties?: Record<string, { type?: unknown }>;
}

/**
 * Reads the numbers and booleans of paths and queries, which come as text. Bodies are taken as they are: there "5" is no number.
 * Nothing with U+0000 or half a surrogate pair goes on, as PostgreSQL cannot store it, and nothing so deep that to walk it would overflow the stack.
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

/** A request without a body says nothing, where that may be said: it changes nothing, or makes a thing with all its defaults. */
function emptyBody(schema: Schema): object {
  // One without a type is read by its handler, as it comes.
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

// What does not read as its type stays text, and is refused by the schema.
function readText(value: unknown, type: unknown): unknown {
  if (type === 'integer' && typeof value === 'string' && /^-?\d{1,30}$/.test(value)) return Number(value);
  if (type === 'boolean' && value === 'true') return true;
  if (type === 'boolean' && value === 'false') return false;
  return value;
}

/** Throws the Problem of texts that PostgreSQL cannot store, and of values that are nested too deep. */
export function refuseUnstorable(value: unknown, field: string, depth: number): void {
  if (typeof value === 'string') {
    if (value.includes('\0'))
      throw new Problem(400, `${field} must not hold the character U+0000`, { field });
    if (/\p{Cs}/u.test(value))
      throw new Problem(400, `${field} must not hold half a surrogate pair`, { field });
  } else if (typeof value === 'object' && value !== null) {
    if (depth === MAX_DEPTH)
      throw new Problem(400, `the body is nested more than ${MAX_DEPTH} levels deep; send a flatter one`);
    for (const [name, inner] of Object.entries(value))
      refuseUnstorable(inner, field === '' ? name : `${field}.${name}`, depth + 1);
  }
}
