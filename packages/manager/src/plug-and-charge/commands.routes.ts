import { OcppError, TUNNEL_SCHEMAS } from '@evander/ocpp';
import type { Dialect } from '@evander/ocpp';
import { Type } from '@fastify/type-provider-typebox';
import type { ApiContext } from '../api-context.ts';
import type { CommandRow } from '../commands/command-list.store.ts';
import { Command, CommandOptions } from '../commands/commands.schemas.ts';
import { sendCommand } from '../commands/send-command.ts';
import { nullable, oneOf, StationParams } from '../http/fields.ts';
import { commandIdOf } from '../http/idempotency.ts';
import { ocppBody } from '../http/ocpp-body.ts';
import type { App } from '../http/route.ts';
import { openResponse, packRequest } from './data-transfer/codec.ts';
import { messageIdsOf } from './data-transfer/dialects.ts';
import { PNC_COMMANDS } from './data-transfer/index.ts';
import type { PncCommandAction } from './data-transfer/tunnel.ts';
import * as pncDialects from './dialects.store.ts';

const DIALECT_NAMES = ['oca', 'has2be'] as const satisfies Dialect[];
const Query = Type.Object(
  {
    ...CommandOptions.properties,
    dialect: Type.Optional(
      oneOf(
        DIALECT_NAMES,
        'oca: the application note of the Open Charge Alliance. has2be: the extension of has.to.be. Default: the dialect that the station last used, else oca',
      ),
    ),
  },
  { additionalProperties: false },
);
const Tunnelled = Type.Object(
  {
    dialect: oneOf(DIALECT_NAMES),
    messageId: Type.String(),
    status: nullable(
      Type.String({
        description:
          'Status of the DataTransfer itself: Accepted when the tunnel worked; null until the station responds',
      }),
    ),
    response: Type.Unknown({
      description: 'The inner response of the station, in the terms of oca; null when it cannot be read',
    }),
  },
  { description: 'The message inside the DataTransfer' },
);
const Answer = Type.Object(
  { ...Command.properties, tunnelled: Tunnelled },
  { title: 'PncCommand', description: 'The command and its outcome' },
);

/** Tunnelled commands of ISO 15118 Plug & Charge: one route for each action. */
export function pncCommandRoutes(app: App, context: ApiContext): void {
  for (const action of Object.keys(PNC_COMMANDS) as PncCommandAction[]) addCommand(app, context, action);
}

function addCommand(app: App, context: ApiContext, action: PncCommandAction): void {
  app.post(
    `/stations/:stationId/pnc-commands/${action}`,
    {
      config: { role: 'operator', problems: [409, 422, 429], sendsCommand: true },
      schema: {
        operationId: `sendPnc${action}`,
        summary: `Send ${action} for Plug & Charge, inside a DataTransfer`,
        description:
          'The body uses the terms of the application note (oca) and is translated for stations that use has2be. The command is recorded as a DataTransfer.',
        tags: ['plug and charge'],
        params: StationParams,
        querystring: Query,
        body: bodyOf(action),
        response: { 200: Answer, 202: Answer },
      },
    },
    async (request, reply) => {
      const { dialect: requested, ...options } = request.query;
      const { stationId } = request.params;
      const dialect = requested ?? (await pncDialects.find(context.database, stationId)) ?? 'oca';
      const requestedBy = await context.keys.nameOf(request);
      const inner = { ...defaultsOf(action), ...request.body };
      const messageIds = [...messageIdsOf(dialect, action)];
      for (;;) {
        const messageId = messageIds.shift() ?? action;
        const data = packRequest({ dialect, action }, inner, messageId);
        const ids = commandIdOf(request, messageId);
        const sent = { stationId, action: 'DataTransfer' as const, request: data, requestedBy, ...ids };
        const command = await sendCommand(context.callMaker, sent, options);
        const tunnelled = tunnelledIn(command, { dialect, action, messageId, request: inner });
        // Older stations use another messageId for it (H2B.7).
        if (tunnelled.status === 'UnknownMessageId' && messageIds.length > 0) continue;
        return reply.code(command.completedAt === null ? 202 : 200).send({ ...command, tunnelled });
      }
    },
  );
}

function bodyOf(action: PncCommandAction) {
  return Type.Unsafe<object>(ocppBody(TUNNEL_SCHEMAS.oca[action].request, 'Pnc'));
}

/** Stations expect requestedMessage, although the application note does not define it (PnC.16). */
function defaultsOf(action: PncCommandAction): object {
  return action === 'TriggerMessage' ? { requestedMessage: 'SignV2GCertificate' } : {};
}

function tunnelledIn(
  { response }: CommandRow,
  sent: { dialect: Dialect; action: PncCommandAction; messageId: string; request: object },
) {
  const { dialect, action, messageId, request } = sent;
  const { status, data } = (response ?? {}) as { status?: unknown; data?: unknown };
  const outer = typeof status === 'string' ? status : null;
  const text = typeof data === 'string' ? data : JSON.stringify(data);
  const read = () => openResponse({ dialect, action }, text, { request }).payload;
  return { dialect, messageId, status: outer, response: outer === 'Accepted' ? readable(read) : null };
}

function readable(read: () => object): object | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof OcppError) return null;
    throw error;
  }
}
