import { Type } from '@fastify/type-provider-typebox';
import type { Log } from '@evander/process';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { STATUS_CODES } from 'node:http';
import { faultOf } from '../store/storage-error.ts';

/** An error as every route may answer it. */
export const ProblemDocument = Type.Object(
  { type: Type.String(), title: Type.String(), status: Type.Integer(), detail: Type.String() },
  { description: 'RFC 9457: `detail` names the thing, the fault and the cure' },
);

/** What went wrong with a request, as RFC 9457 tells it: `detail` names the thing, the fault and the cure. */
export class Problem extends Error {
  readonly status: number;
  readonly headers: Record<string, string>;

  constructor(status: number, detail: string, headers: Record<string, string> = {}) {
    super(detail);
    this.status = status;
    this.headers = headers;
  }
}

/** Answers every error of a route with a problem document; our own are logged and tell nothing of our insides. */
export function answerProblem(
  error: FastifyError | Problem,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const problem = problemOf(error, request.log as Log);
  return sendProblem(reply, problem);
}

export function sendProblem(reply: FastifyReply, { status, message, headers }: Problem): FastifyReply {
  const document = { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, detail: message };
  return reply.code(status).headers(headers).type('application/problem+json').send(document);
}

function problemOf(error: FastifyError | Problem, log: Log): Problem {
  if (error instanceof Problem) return error;
  const status = error.statusCode ?? 500;
  if (error.validation) return new Problem(400, error.message);
  if (status >= 400 && status < 500) return new Problem(status, error.message);
  const fault = faultOf(error);
  if (fault === 'theirs') return new Problem(400, 'a value is out of range');
  if (fault === 'transient') {
    log.warn({ err: error }, 'the database is away');
    return new Problem(503, 'the database cannot be reached; try again', { 'retry-after': '5' });
  }
  log.error({ err: error }, 'a request failed');
  return new Problem(500, 'the request failed through a fault of ours, which is logged');
}
