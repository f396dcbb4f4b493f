import { Type } from '@fastify/type-provider-typebox';
import type { ApiContext } from '../api-context.ts';
import { nullable, oneOf, Period, readPeriod, StationParams, Text, Time } from '../http/fields.ts';
import { listQuery, pageOf, Pager } from '../http/paging.ts';
import type { App } from '../http/route.ts';
import * as frameList from './frame-list.store.ts';
import type { FrameRow } from './frame-list.store.ts';

/** Names for OCPP-J's message types. */
const TYPES = { call: 2, result: 3, error: 4, unreadable: 0 } as const;
const NAMES = Object.keys(TYPES) as (keyof typeof TYPES)[];

const Direction = oneOf(['in', 'out'] as const, 'in: from the station');
const Message = Type.Object(
  {
    recordedAt: Time,
    direction: Direction,
    type: oneOf(NAMES),
    action: Text,
    messageId: Type.String(),
    payload: Type.Unknown(),
    errorCode: Text,
    errorDescription: Text,
    raw: nullable(Type.String({ description: 'The text of an invalid frame' })),
    connectionId: Text,
  },
  { title: 'Message' },
);
const Query = listQuery({
  direction: Type.Optional(Direction),
  type: Type.Optional(oneOf(NAMES, 'Only frames of this type')),
  action: Type.Optional(Type.String({ description: 'Only frames with this action' })),
  messageId: Type.Optional(Type.String({ description: 'Only the call with this id, and its answer' })),
  ...Period,
});
const PAGER = new Pager(
  ['time', 'text', 'integer', 'text'],
  ({ recordedAt, direction, type, messageId }: FrameRow) => [
    recordedAt.toISOString(),
    direction,
    type,
    messageId,
  ],
);

/** Route that lists the frames on a station's socket. */
export function messageRoutes(app: App, { database }: ApiContext): void {
  app.get(
    '/stations/:stationId/messages',
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'listMessages',
        summary: 'Recorded frames of a station, newest first',
        tags: ['stations'],
        params: StationParams,
        querystring: Query,
        response: { 200: pageOf(Message) },
      },
    },
    async ({ params: { stationId }, query }) => {
      const { items, nextCursor } = await PAGER.page(query, ({ after, rows }) =>
        frameList.list(database, {
          ...query,
          ...readPeriod(query),
          stationId,
          type: query.type && TYPES[query.type],
          before: after && { at: after[0], direction: after[1], type: after[2], messageId: after[3] },
          rows,
        }),
      );
      return { items: items.map((row) => ({ ...row, type: nameOf(row.type) })), nextCursor };
    },
  );
}

function nameOf(type: number): keyof typeof TYPES {
  return NAMES.find((name) => TYPES[name] === type) ?? 'unreadable';
}
