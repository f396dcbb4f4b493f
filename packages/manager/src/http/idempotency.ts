import type { Log, Sealer } from '@evander/process';
import { Type } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { createHash } from 'node:crypto';
import type { Database } from '../database/database.ts';
import * as idempotencyKeys from './idempotency-keys.store.ts';
import type { KeyedRequest } from './idempotency-keys.store.ts';
import { Problem } from './problem.ts';
import type { App } from './route.ts';

/** RFC 8941's string, as the draft of the header asks for it, or the same without its quotes. */
const KEY = /^(?:"([ !#-[\]-~]{1,255})"|([!#-+\--[\]-~]{1,255}))$/;

/** The header, for the description of the routes. */
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
    /** The Idempotency-Key that the request holds until it is answered; null without one. */
    keyed: KeyedRequest | null;
  }
}

interface Context {
  database: Database;
  /** The id of the API key that a request shows; undefined for a gateway, or for nobody. */
  keys: { idOf(request: FastifyRequest): Promise<string | undefined> };
  /** Seals the answers that are kept. */
  answerSealer: Sealer;
  now(): Date;
}

/** What is kept of an answer. */
interface KeptAnswer {
  headers: Record<string, string>;
  body: string;
}

/**
 * Lets every POST carry an Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): its repeats within 24 hours get the answer of
 * the first. Only success is kept: a request that was refused or that failed may be sent again under its key.
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
      // What it answers has happened. A repeat is told to wait until the key is free again.
      (request.log as Log).warn({ err: error }, 'an answer could not be kept for its idempotency key');
    }
    return payload;
  });
}

/**
 * The id of the command that a request makes: the same for its repeats under one Idempotency-Key, so that not even one whose first
 * answer was lost with the database is recorded twice. Empty without a key; `part` tells several commands of one request apart.
 */
export function commandIdOf({ keyed }: FastifyRequest, part = ''): { commandId?: string } {
  if (keyed === null) return {};
  const { apiKeyId, key, fingerprint } = keyed;
  const hash = createHash('sha256').update(
    JSON.stringify([apiKeyId, key, fingerprint.toString('hex'), part]),
  );
  const hex = hash.digest('hex');
  // RFC 9562 §5.8: version 8 is for ids of one's own making.
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
  const cure =
    'send 1 to 255 printable ASCII characters without quotes, commas and backslashes, such as a UUID';
  throw new Problem(400, `the header Idempotency-Key cannot be read; ${cure}`, { field: 'idempotency-key' });
}

// A body that streams by, such as a file, is known by its length.
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
    case 'ours':
      request.keyed = keyed;
      return;
    case 'running':
      throw new Problem(
        409,
        'the first request with this Idempotency-Key is still worked on; try again later',
        {
          headers: { 'retry-after': '2' },
        },
      );
    case 'otherRequest':
      throw new Problem(
        422,
        'this Idempotency-Key was used for another request within 24 hours; send each request with a key of its own',
      );
    case 'answered': {
      const { headers, body } = JSON.parse(answerSealer.open(found.sealedAnswer)) as KeptAnswer;
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
    JSON.stringify({ headers, body: payload ?? '' } satisfies KeptAnswer),
  );
  await idempotencyKeys.keep(database, keyed, { status, sealedAnswer });
}
