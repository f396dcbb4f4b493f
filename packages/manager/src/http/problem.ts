import { OcppError } from '@evander/ocpp';
import type { Log } from '@evander/process';
import { Type } from '@fastify/type-provider-typebox';
import type { FastifyError, FastifyReply, FastifyRequest, FastifySchemaValidationError } from 'fastify';
import { STATUS_CODES } from 'node:http';
import { faultOf } from '../database/storage-error.ts';

interface ProblemOptions {
  headers?: Record<string, string>;
  /** The invalid field of body, query or path. */
  field?: string;
  /** The OCPP rule that would be broken. */
  rule?: string;
}

/** The error response of all routes. */
export const ProblemDocument = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    field: Type.Optional(Type.String({ description: 'The field of body, query or path' })),
    rule: Type.Optional(Type.String({ description: 'The rule of OCPP that a command would break' })),
  },
  {
    title: 'Problem',
    description: 'RFC 9457: `detail` says what was wrong, where, and how to fix it',
    examples: [
      {
        type: 'about:blank',
        title: 'Bad Request',
        status: 400,
        detail: 'query: limit must be <= 500',
        field: 'limit',
      },
    ],
  },
);

/** An error response (RFC 9457). `message` says what was wrong, where, and how to fix it. */
export class Problem extends Error {
  override name = 'Problem';
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly field: string | undefined;
  readonly rule: string | undefined;

  constructor(status: number, detail: string, { headers = {}, field, rule }: ProblemOptions = {}) {
    super(detail);
    this.status = status;
    this.headers = headers;
    this.field = field;
    this.rule = rule;
  }
}

/** Responds to an error of a route or the server with a problem document. Logs internal errors and reveals no details of them. */
export function answerProblem(error: Error, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { status, message, headers, field, rule } = problemOf(error, request.log as Log);
  const title = STATUS_CODES[status] ?? 'Error';
  return reply
    .code(status)
    .headers(headers)
    .type('application/problem+json')
    .serializer(JSON.stringify)
    .send({
      type: 'about:blank',
      title,
      status,
      detail: message,
      ...(field !== undefined && { field }),
      ...(rule !== undefined && { rule }),
    });
}

/** The Problem that the client gets for an error. */
export function problemOf(error: Partial<FastifyError> & Error, log: Log): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof OcppError) return new Problem(400, `body: ${error.message}`);
  const faults = error.validation ?? [];
  // ajv reports each failed branch of an anyOf; the anyOf itself describes them all.
  const fault = faults.find(({ keyword }) => keyword === 'anyOf') ?? faults[0];
  if (fault) return validationProblem(fault, error.validationContext ?? 'body');
  const status = error.statusCode ?? 500;
  if (status >= 400 && status < 500)
    return new Problem(status, FASTIFY_ERRORS[error.code ?? ''] ?? HINTS[status] ?? HINTS[400]);
  switch (faultOf(error)) {
    case 'theirs':
      return new Problem(400, 'a value is out of range; send a smaller or shorter one');
    case 'transient':
      log.warn({ err: error }, 'the database is away');
      return new Problem(503, 'the database cannot be reached; try again', {
        headers: { 'retry-after': '5' },
      });
    default:
      log.error({ err: error }, 'a request failed because of an internal error');
      return new Problem(500, 'the request failed because of an internal error, which was logged');
  }
}

/** Details for errors of Fastify, by code; its own messages are not meant for API users. */
const FASTIFY_ERRORS: Record<string, string> = {
  FST_ERR_BAD_URL: 'the path contains an invalid percent-encoding, such as %zz; write % itself as %25',
  FST_ERR_MAX_PARAM_LENGTH: 'a part of the path is too long',
  FST_ERR_CTP_EMPTY_JSON_BODY:
    'body: it is empty although its Content-Type is application/json; send JSON, or omit the header',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'body: its length differs from its Content-Length',
};

/** Details for other errors, by status. */
const HINTS = {
  400: 'body: it is not valid JSON in UTF-8',
  413: 'the body is too large; send 1 MiB at most',
  414: 'the URL is too long',
  415: 'the body is not JSON; send it with "Content-Type: application/json"',
} as Record<number, string> & { 400: string };

/** A validation error of ajv in verbose mode. */
interface Fault extends FastifySchemaValidationError {
  parentSchema?: {
    description?: string;
    properties?: object;
    patternProperties?: object;
    anyOf?: { type?: string; enum?: unknown[] }[];
  };
}

function validationProblem(fault: Fault, context: string): Problem {
  const place = context === 'querystring' ? 'query' : context === 'params' ? 'path' : context;
  const { additionalProperty, missingProperty } = fault.params;
  const path = fault.instancePath.slice(1).replaceAll('/', '.');
  const field = [path, additionalProperty ?? missingProperty].filter(Boolean).join('.');
  const detail = `${place}: ${[field, faultText(fault)].filter(Boolean).join(' ')}`;
  return new Problem(400, detail, field === '' ? {} : { field });
}

function faultText({ keyword, message = 'is not valid', params, parentSchema }: Fault): string {
  switch (keyword) {
    case 'additionalProperties':
      return unknownText(parentSchema);
    case 'anyOf':
      return `must be ${parentSchema?.anyOf?.map(({ type, enum: values }) => values?.join(' or ') ?? type).join(' or ')}`;
    case 'required':
      return 'is missing';
    case 'enum':
      return `must be one of ${(params['allowedValues'] as unknown[]).join(', ')}`;
    case 'format':
      return params['format'] === 'date-time'
        ? 'must be an RFC 3339 time, such as 2026-11-20T10:00:00Z'
        : message;
    case 'pattern':
      return `must be ${parentSchema?.description ?? 'in another format'}`;
    default:
      return message;
  }
}

function unknownText({ properties, patternProperties }: NonNullable<Fault['parentSchema']> = {}): string {
  const [pattern] = Object.keys(patternProperties ?? {});
  if (pattern !== undefined) return `is not a valid name; names must match ${pattern}`;
  return `is not known; known are ${Object.keys(properties ?? {}).join(', ')}`;
}
