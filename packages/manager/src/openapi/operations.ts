import type { TSchema } from '@fastify/type-provider-typebox';
import { mayBeEmpty } from '../http/json-schema.ts';
import type { Schema, Schemas } from '../http/json-schema.ts';
import { ProblemDocument } from '../http/problem.ts';
import { EVENT_DATA } from './event-data.ts';
import { addExamples } from './examples.ts';
import { nameSchemas } from './named-schemas.ts';

interface Content {
  content?: Record<string, { schema: Schema; example?: unknown }>;
}
interface Operation {
  operationId: string;
  security?: unknown[];
  parameters?: { in: string; name: string; description?: string; schema: Schema }[];
  requestBody?: Content & { required?: boolean };
  responses: Record<string, Content & { $ref?: string }>;
  /** Set from the route's config and removed here. */
  'x-problems'?: string[];
}
/** The operations of an OpenAPI document, by path and method. */
export type Operations = Record<string, Record<string, Operation>>;

/** Adds what the routes do not describe themselves to all operations: problems and names of schemas. Returns the named schemas. */
export function completeOperations(paths: Operations): Schemas {
  const named: Schemas = {};
  nameSchemas(ProblemDocument as TSchema as Schema, named);
  for (const operation of Object.values(paths).flatMap((methods) => Object.values(methods))) {
    addProblems(operation);
    describeBody(operation);
    for (const response of Object.values(operation.responses)) nameContent(response, named);
    if (operation.requestBody) nameContent(operation.requestBody, named);
  }
  const resources = Object.values(EVENT_DATA).flat() as Schema[];
  const data = nameSchemas({ anyOf: [...new Set(resources)] }, named);
  named['EventData'] = { ...named['EventData'], ...data };
  addExamples(named);
  return named;
}

function addProblems(operation: Operation): void {
  const { security = [], parameters = [], requestBody } = operation;
  const statuses = ['500', '503', ...(operation['x-problems'] ?? [])];
  delete operation['x-problems'];
  if (parameters.length > 0 || requestBody) statuses.push('400');
  if (security.length > 0) statuses.push('401', '403', '429');
  if (parameters.some((parameter) => parameter.in === 'path')) statuses.push('404');
  if (requestBody) statuses.push('413', '415');
  if (parameters.some((parameter) => parameter.name === 'idempotency-key')) statuses.push('409', '422');
  for (const status of statuses) operation.responses[status] ??= { $ref: `#/components/responses/${status}` };
}

/** Names a body without a title after its operation. A body that may be empty is optional. */
function describeBody({ operationId, requestBody }: Operation): void {
  const json = requestBody?.content?.['application/json'];
  if (!requestBody || !json) return;
  requestBody.required = !mayBeEmpty(json.schema);
  json.schema.title ??= `${operationId.charAt(0).toUpperCase()}${operationId.slice(1)}Request`;
}

function nameContent(place: Content, named: Schemas): void {
  for (const media of Object.values(place.content ?? {})) {
    // Move the example into the schema, so that it shows wherever the schema is used.
    const { example } = media;
    delete media.example;
    const schema = example === undefined ? media.schema : { ...media.schema, examples: [example] };
    media.schema = nameSchemas(schema, named);
  }
}
