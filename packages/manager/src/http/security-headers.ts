import type { FastifyReply, FastifyRequest } from 'fastify';

/** Headers of all responses, including those of the HTTP parser. */
export const ALWAYS = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
} as const;

/** Headers of all responses that are not HTML pages. */
export const NO_PAGE = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cache-control': 'no-store',
} as const;

/** Policy for the page at /docs: only its own scripts and styles, and requests only to this server. Swagger UI inserts a style element, hence 'unsafe-inline'. */
export const DOCS_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; " +
  "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const HSTS = 'max-age=31536000';

/** Adds the headers that protect browsers; keeps headers that the route has set. */
export function addSecurityHeaders(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.headers(ALWAYS);
  for (const [name, value] of Object.entries(NO_PAGE)) if (!reply.hasHeader(name)) reply.header(name, value);
  // Only a trusted proxy can report that the client uses TLS. Sent over plain HTTP, the header could lock out clients that use it.
  if (request.protocol === 'https') reply.header('strict-transport-security', HSTS);
  return reply;
}
