import { ACTIONS, mayBeSentBy } from '@evander/ocpp';
import type { Action, CommandAction } from '@evander/ocpp';
import { Type } from '@fastify/type-provider-typebox';
import type { ApiContext } from '../api-context.ts';
import { idOf, OfStation, oneOf, Period, readPeriod, StationParams } from '../http/fields.ts';
import { commandIdOf } from '../http/idempotency.ts';
import { ocppBody } from '../http/ocpp-body.ts';
import { listQuery, pageOf, Pager } from '../http/paging.ts';
import { Problem } from '../http/problem.ts';
import type { App } from '../http/route.ts';
import * as commandList from './command-list.store.ts';
import type { CommandRow } from './command-list.store.ts';
import { Command, CommandOptions } from './commands.schemas.ts';
import { COMMAND_STATUSES } from './commands.store.ts';
import { sendCommand } from './send-command.ts';

/** The actions that Evander sends, in the order of ACTIONS. */
export const COMMAND_ACTIONS = (Object.keys(ACTIONS) as Action[]).filter((action): action is CommandAction =>
  mayBeSentBy('manager', action),
);

const Query = listQuery({
  stationId: OfStation,
  action: Type.Optional(oneOf(COMMAND_ACTIONS, 'Only commands with this action')),
  status: Type.Optional(oneOf(COMMAND_STATUSES, 'Only commands in this status')),
  ...Period,
});
const PAGER = new Pager(['time', 'integer'], ({ createdAt, sequence }: CommandRow) => [
  createdAt.toISOString(),
  sequence,
]);
const CommandParams = Type.Object({ commandId: idOf('command') });
const tags = ['commands'];

/** Routes for commands: one to send each action, and others to read all commands. */
export function commandRoutes(app: App, context: ApiContext): void {
  for (const action of COMMAND_ACTIONS) addCommand(app, context, action);
  addUnknownAction(app);
  const { database } = context;
  app.get(
    '/commands',
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'listCommands',
        summary: 'Commands, newest first',
        tags,
        querystring: Query,
        response: { 200: pageOf(Command) },
      },
    },
    ({ query }) =>
      PAGER.page(query, ({ after, rows }) =>
        commandList.list(database, { ...query, ...readPeriod(query), before: after, rows }),
      ),
  );
  app.get(
    '/commands/:commandId',
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'getCommand',
        summary: 'A command',
        tags,
        params: CommandParams,
        response: { 200: Command },
      },
    },
    async ({ params: { commandId } }) => {
      const command = await commandList.get(database, commandId);
      if (!command)
        throw new Problem(
          404,
          `command ${commandId} is not known; GET /api/v1/commands lists those that are`,
        );
      return command;
    },
  );
}

function addCommand(app: App, { callMaker, keys }: ApiContext, action: CommandAction): void {
  app.post(
    `/stations/:stationId/commands/${action}`,
    {
      config: { role: 'operator', problems: [409, 422, 429], sendsCommand: true },
      schema: {
        operationId: `send${action}`,
        summary: `Send ${action} (${ACTIONS[action].profile})`,
        tags,
        params: StationParams,
        querystring: CommandOptions,
        body: Type.Unsafe<object>(ocppBody(callMaker.requestSchema(action))),
        response: { 200: Command, 202: Command },
      },
    },
    async (request, reply) => {
      const { stationId } = request.params;
      const requestedBy = await keys.nameOf(request);
      const sent = { stationId, action, request: request.body, requestedBy, ...commandIdOf(request) };
      const command = await sendCommand(callMaker, sent, request.query);
      return reply.code(command.completedAt === null ? 202 : 200).send(command);
    },
  );
}

function addUnknownAction(app: App): void {
  app.post(
    '/stations/:stationId/commands/:action',
    {
      config: { role: 'operator' },
      schema: { hide: true, params: Type.Object({ stationId: Type.String(), action: Type.String() }) },
    },
    ({ params: { action } }) => {
      const similar = COMMAND_ACTIONS.find((known) => known.toLowerCase() === action.toLowerCase());
      const hint = similar === undefined ? '' : ` (did you mean ${similar}?)`;
      throw new Problem(
        404,
        `${action.slice(0, 50)} is not a command${hint}; the commands are: ${COMMAND_ACTIONS.join(', ')}`,
        { field: 'action' },
      );
    },
  );
}
