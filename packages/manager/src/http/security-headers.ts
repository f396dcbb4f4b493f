import type { FastifyReply, FastifyRequest } from 'fastify';

/** What every answer says, whether a route, the server, or its parser gives it. */
export const ALWAYS = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
} as const;

/** What an answer says that is no page. */
export const NO_PAGE = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cache-control': 'no-store',
} as const;

/** The page at /docs: scripts and styles of its own only, and requests to nobody but this server. Swagger UI puts a style element of its own into the page. */
export const DOCS_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; " +
  "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const HSTS = 'max-age=31536000';

/** Adds the headers that protect whoever reads an answer in a browser; what a route has set itself stays. */
export function addSecurityHeaders(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.headers(ALWAYS);
  for (const [name, value] of Object.entries(NO_PAGE)) if (!reply.hasHeader(name)) reply.header(name, value);
  // Only a proxy that is trusted can tell that its side is TLS. Without it the header would lock out whoever comes over plain HTTP.
  if (request.protocol === 'https') reply.header('strict-transport-security', HSTS);
  return reply;
}
