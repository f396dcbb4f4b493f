import type { FastifyReply, FastifyRequest } from 'fastify';
import { createHash } from 'node:crypto';

const etags = new WeakMap<Buffer, string>();

/**
 * Sends a body that rarely changes. Caches must revalidate it and get 304 if it is unchanged (RFC 9110 §13.1.2), so that a revocation
 * is visible immediately.
 */
export function sendConditional(
  request: FastifyRequest,
  reply: FastifyReply,
  { type, body }: { type: string; body: Buffer },
): FastifyReply {
  const etag = etags.get(body) ?? `"${createHash('sha256').update(body).digest('base64url')}"`;
  etags.set(body, etag);
  reply.headers({ etag, 'cache-control': 'no-cache' });
  const known = request.headers['if-none-match']?.split(',').map((one) => one.trim().replace(/^W\//, ''));
  if (known?.some((one) => one === etag || one === '*')) return reply.code(304).send();
  return reply.type(type).send(body);
}
