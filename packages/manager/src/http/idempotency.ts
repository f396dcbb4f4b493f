import type { Log, Sealer } from '@evander/process';
import { Type } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { createHash } from 'node:crypto';
import type { Database } from '../database/database.ts';
import * as idempotencyKeys from './idempotency-keys.store.ts';
import type { KeyedRequest } from './idempotency-keys.store.ts';
import { Problem } from './problem.ts';
import type { App } from './route.ts';

/** A string of RFC 8941, as the draft of the header requires, or the same without quotes. */
const KEY = /^(?:"([ !#-[\]-~]{1,255})"|([!#-+\--[\]-~]{1,255}))$/;

/** The header in the OpenAPI description. */
export const IDEMPOTENCY_HEADER = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({
      pattern: KEY.source,
      maxLength: 257,
      description:
        'Unique per request, such as a UUID. A request repeated with the same key within 24 hours has no second effect and gets the response of the first.',
    }),
  ),
});

declare module 'fastify' {
  interface FastifyRequest {
    /** The Idempotency-Key that the request holds until it is answered; null for none. */
    keyed: KeyedRequest | null;
  }
}

interface Context {
  database: Database;
  /** The id of the request's API key; undefined for a gateway or an unauthenticated request. */
  keys: { idOf(request: FastifyRequest): Promise<string | undefined> };
  /** Seals the stored responses. */
  answerSealer: Sealer;
  now(): Date;
}

/** The stored part of a response. */
interface StoredAnswer {
  headers: Record<string, string>;
  body: string;
}

/**
 * Supports Idempotency-Key for every POST (draft-ietf-httpapi-idempotency-key-header): repeats within 24 hours get the first response.
 * Only successful responses are stored: a request that was rejected or failed may be sent again with the same key.
 */
export function honourIdempotencyKeys(app: App, context: Context): void {
  app.decorateRequest('keyed', null);
  app.addHook('preHandler', async (request, reply) => {
    const header = request.headers['idempotency-key'];
    if (request.method !== 'POST' || header === undefined) return;
    const apiKeyId = await context.keys.idOf(request);
    if (apiKeyId === undefined) return;
    const keyed = {
      apiKeyId,
      key: readKey(String(header)),
      fingerprint: fingerprintOf(request),
      sendsCommand: request.routeOptions.config.sendsCommand ?? false,
    };
    await claim(keyed, context, { request, reply });
    if (reply.sent) return reply;
  });
  app.addHook('onSend', async (request, reply, payload) => {
    const { keyed } = request;
    if (keyed === null) return payload;
    request.keyed = null;
    try {
      await complete(keyed, context, { reply, payload });
    } catch (error) {
      // The request has had its effect, so it still succeeds. Repeats get 409 until the key is free again.
      (request.log as Log).warn({ err: error }, 'could not store the response for its idempotency key');
    }
    return payload;
  });
}

/**
 * The id for the command that a request sends. Repeats with the same Idempotency-Key get the same id, so that a command is recorded
 * once even if the first response was lost. Empty without a key; `part` distinguishes several commands of one request.
 */
export function commandIdOf({ keyed }: FastifyRequest, part = ''): { commandId?: string } {
  if (keyed === null) return {};
  const { apiKeyId, key, fingerprint } = keyed;
  const hash = createHash('sha256').update(
    JSON.stringify([apiKeyId, key, fingerprint.toString('hex'), part]),
  );
  const hex = hash.digest('hex');
  // Version 8 is for custom UUIDs (RFC 9562 §5.8).
  const parts = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ];
  return { commandId: parts.join('-') };
}

function readKey(header: string): string {
  const [, quoted, bare] = KEY.exec(header) ?? [];
  const key = quoted ?? bare;
  if (key !== undefined) return key;
  const hint =
    'send 1 to 255 printable ASCII characters without quotes, commas and backslashes, such as a UUID';
  throw new Problem(400, `the header Idempotency-Key cannot be read; ${hint}`, { field: 'idempotency-key' });
}

// Of a streamed body, such as a file, only the length is known.
function fingerprintOf({ url, body, headers }: FastifyRequest): Buffer {
  const isRead = typeof body === 'object' && body !== null && !('pipe' in body);
  const content = isRead ? JSON.stringify(body) : (headers['content-length'] ?? '');
  return createHash('sha256')
    .update(JSON.stringify([url, content]))
    .digest();
}

async function claim(
  keyed: KeyedRequest,
  { database, answerSealer, now }: Context,
  { request, reply }: { request: FastifyRequest; reply: FastifyReply },
): Promise<void> {
  const found = await idempotencyKeys.claim(database, keyed, now());
  switch (found.state) {
    case 'claimed':
      request.keyed = keyed;
      return;
    case 'running':
      throw new Problem(
        409,
        'the first request with this Idempotency-Key is still in progress; try again later',
        {
          headers: { 'retry-after': '2' },
        },
      );
    case 'otherRequest':
      throw new Problem(
        422,
        'this Idempotency-Key was used for another request within 24 hours; use a new key for each request',
      );
    case 'answered': {
      const { headers, body } = JSON.parse(answerSealer.open(found.sealedAnswer)) as StoredAnswer;
      reply
        .code(found.status)
        .headers({ ...headers, 'idempotent-replayed': 'true' })
        .serializer(String)
        .send(body);
    }
  }
}

async function complete(
  keyed: KeyedRequest,
  { database, answerSealer }: Context,
  { reply, payload }: { reply: FastifyReply; payload: unknown },
): Promise<void> {
  const status = reply.statusCode;
  const isText = typeof payload === 'string' || payload === null || payload === undefined;
  if (status < 200 || status > 299 || !isText) return idempotencyKeys.release(database, keyed);
  const headers: Record<string, string> = {};
  for (const name of ['content-type', 'location'])
    if (reply.hasHeader(name)) headers[name] = String(reply.getHeader(name));
  const sealedAnswer = answerSealer.seal(
    JSON.stringify({ headers, body: payload ?? '' } satisfies StoredAnswer),
  );
  await idempotencyKeys.storeAnswer(database, keyed, { status, sealedAnswer });
}
