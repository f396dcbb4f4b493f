import { Type } from '@fastify/type-provider-typebox';
import * as frameList from '../store/frame-list.ts';
import * as statusList from '../store/status-list.ts';
import { nullable, oneOf, readTime, StationParams, Time, TimeText } from './fields.ts';
import { listQuery, page, pageOf, readCursor } from './paging.ts';
import type { ApiContext, App } from './route.ts';

const TYPES = { call: 2, result: 3, error: 4, unreadable: 0 } as const;
type FrameType = keyof typeof TYPES;
const TYPE_NAMES = Object.keys(TYPES) as FrameType[];

const Text = nullable(Type.String());
const Frame = Type.Object({
  recordedAt: Time,
  direction: oneOf(['in', 'out'] as const, 'in: from the station'),
  type: oneOf(TYPE_NAMES),
  action: Text,
  messageId: Type.String(),
  payload: Type.Unknown(),
  errorCode: Text,
  errorDescription: Text,
  raw: nullable(Type.String({ description: 'Text of what was no frame' })),
  connectionId: Text,
});
const Status = Type.Object({
  status: Type.String(),
  errorCode: Type.String(),
  info: Text,
  vendorId: Text,
  vendorErrorCode: Text,
  statusAt: Time,
  receivedAt: Time,
});
const times = { from: Type.Optional(TimeText), to: Type.Optional(TimeText) };
const FrameQuery = listQuery({
  direction: Type.Optional(oneOf(['in', 'out'] as const)),
  type: Type.Optional(oneOf(TYPE_NAMES)),
  action: Type.Optional(Type.String()),
  messageId: Type.Optional(Type.String()),
  ...times,
});
const ConnectorParams = Type.Intersect([
  StationParams,
  Type.Object({ connectorId: Type.Integer({ minimum: 0, maximum: 2 ** 31 - 1 }) }),
]);

/** What went over a station's socket, and the statuses that its connectors had; newest first. */
export function messageRoutes(app: App, { database }: ApiContext): void {
  app.get(
    '/stations/:stationId/messages',
    {
      config: { role: 'viewer' },
      schema: {
        summary: 'Recorded frames, newest first',
        tags: ['messages'],
        params: StationParams,
        querystring: FrameQuery,
        response: { 200: pageOf(Frame) },
      },
    },
    async ({
      params: { stationId },
      query: { limit, cursor, direction, type, action, messageId, from, to },
    }) => {
      const key = readCursor(cursor, ['string', 'string', 'number', 'string']) as
        [string, string, number, string] | null;
      const rows = await frameList.list(database, {
        stationId,
        direction,
        type: type && TYPES[type],
        action,
        messageId,
        from: readTime(from, 'from'),
        to: readTime(to, 'to'),
        before: key && { at: key[0], direction: key[1], type: key[2], messageId: key[3] },
        rows: limit + 1,
      });
      const { items, nextCursor } = page(rows, limit, (row) => [
        row.recordedAt.toISOString(),
        row.direction,
        row.type,
        row.messageId,
      ]);
      return { items: items.map((row) => ({ ...row, type: nameOf(row.type) })), nextCursor };
    },
  );
  app.get(
    '/stations/:stationId/connectors/:connectorId/statuses',
    {
      config: { role: 'viewer' },
      schema: {
        summary: "A connector's statuses, newest first",
        tags: ['stations'],
        params: ConnectorParams,
        querystring: listQuery(times),
        response: { 200: pageOf(Status) },
      },
    },
    async ({ params, query: { limit, cursor, from, to } }) => {
      const key = readCursor(cursor, ['string', 'string', 'string']) as [string, string, string] | null;
      const rows = await statusList.listStatuses(database, {
        ...params,
        from: readTime(from, 'from'),
        to: readTime(to, 'to'),
        before: key && { at: key[0], status: key[1], errorCode: key[2] },
        rows: limit + 1,
      });
      return page(rows, limit, (row) => [row.statusAt.toISOString(), row.status, row.errorCode]);
    },
  );
}

function nameOf(type: number): FrameType {
  return TYPE_NAMES.find((name) => TYPES[name] === type) ?? 'unreadable';
}
