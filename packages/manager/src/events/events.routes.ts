import { Type } from '@fastify/type-provider-typebox';
import type { Static } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import type { Readable } from 'node:stream';
import type { ApiContext } from '../api-context.ts';
import { OfStation, Period, readPeriod } from '../http/fields.ts';
import { listQuery, pageOf, Pager } from '../http/paging.ts';
import { Problem } from '../http/problem.ts';
import type { App } from '../http/route.ts';
import { EventStream } from './event-stream.ts';
import { Event, KINDS } from './events.schemas.ts';
import * as events from './events.store.ts';
import type { Event as Row, EventFilter } from './events.store.ts';

const LastEventId = Type.String({
  pattern: '^\\d{1,15}$',
  description: 'the id of an event: returns later ones, oldest first',
});
const Query = listQuery({
  kind: Type.Optional(Type.String({ description: `Some of ${KINDS.join(', ')}, separated by commas` })),
  stationId: OfStation,
  lastEventId: Type.Optional(LastEventId),
  ...Period,
});
const Stream = Type.Unsafe<Readable>({
  type: 'string',
  title: 'EventStream',
  examples: ['id: 120455\nevent: transaction.started\ndata: {"id":120455}\n\n'],
  description:
    'Server-sent events: `id`, `event` (the kind) and `data` (the event as JSON). A comment every 15 s keeps the stream alive',
});
const RESPONSE = {
  description: 'Depending on the Accept header: an endless stream of events, or a page of them',
  content: {
    'text/event-stream': { schema: Stream },
    'application/json': { schema: pageOf(Event) },
  },
};
const PAGER = new Pager(['integer'], ({ id }: Row) => [id]);
const KEEP_ALIVE_MS = 15_000;
const STALL_MS = 30_000;

/** Routes that stream and list events. */
export function eventRoutes(app: App, context: ApiContext): void {
  app.get(
    '/events',
    {
      // For a HEAD Fastify would read the stream to its end, and it has none.
      exposeHeadRoute: false,
      config: { role: 'viewer' },
      schema: {
        operationId: 'readEvents',
        summary:
          'Events as they happen (server-sent events), or with "Accept: application/json" a list: newest first, or after lastEventId oldest first',
        tags: ['events'],
        querystring: Query,
        headers: Type.Object({ 'last-event-id': Type.Optional(LastEventId) }),
        response: { 200: RESPONSE },
      },
    },
    async (request, reply) => {
      const { query } = request;
      const filter: EventFilter = {
        kinds: readKinds(query.kind),
        stationIds: query.stationId === undefined ? null : [query.stationId],
      };
      const after = lastEventIdOf(request);
      if (wantsJson(request)) {
        const page = await readPage(query, { filter, after }, context);
        return reply.type('application/json').send(page);
      }
      const stream = await openStream(request, { filter, after }, context);
      return reply.type('text/event-stream').header('cache-control', 'no-store').send(stream);
    },
  );
}

function wantsJson({ headers: { accept = '' } }: FastifyRequest): boolean {
  return /\bapplication\/json\b/i.test(accept) && !/\btext\/event-stream\b/i.test(accept);
}

interface Place {
  filter: EventFilter;
  after: number | undefined;
}

async function readPage(
  query: Static<typeof Query>,
  { filter, after }: Place,
  { database }: ApiContext,
): Promise<{ items: Row[]; nextCursor: string | null }> {
  const period = readPeriod(query);
  return PAGER.page(query, ({ after: cursor, rows }) => {
    const at = cursor?.[0];
    if (after !== undefined) return events.listAfter(database, filter, { after: at ?? after, rows });
    return events.listBefore(database, filter, { ...period, before: at ?? null, rows });
  });
}

async function openStream(
  request: FastifyRequest,
  { filter, after }: Place,
  { feed, keys, maxEventStreams }: ApiContext,
): Promise<EventStream> {
  if (feed.readers >= maxEventStreams) {
    throw new Problem(
      503,
      `this manager already has ${maxEventStreams} open event streams; close one, use another manager, or raise EVANDER_EVENT_STREAMS`,
      { headers: { 'retry-after': '10' } },
    );
  }
  return new EventStream({
    feed,
    filter,
    after: after ?? (await feed.latest()),
    keepAliveMs: KEEP_ALIVE_MS,
    stallMs: STALL_MS,
    isAllowed: async () => (await keys.nameOf(request)) !== null,
  });
}

/** Parses a comma-separated list of kinds; null for all. Throws Problem for an unknown kind. */
function readKinds(text: string | undefined): string[] | null {
  if (text === undefined) return null;
  const kinds = text.split(',').map((kind) => kind.trim());
  const unknown = kinds.find((kind) => !KINDS.includes(kind));
  if (unknown === undefined) return kinds;
  throw new Problem(400, `kind: "${unknown}" is not known; known are ${KINDS.join(', ')}`, { field: 'kind' });
}

function lastEventIdOf({ headers, query }: FastifyRequest): number | undefined {
  // An EventSource sends the header when it reconnects, with its original URL; so the header takes precedence.
  const text = headers['last-event-id'] ?? (query as Static<typeof Query>).lastEventId;
  return text === undefined ? undefined : Number(text);
}
