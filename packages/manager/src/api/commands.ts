import { ACTIONS, mayBeSentBy, SCHEMAS } from '@evander/ocpp';
import type { Action, CommandAction } from '@evander/ocpp';
import { Type } from '@fastify/type-provider-typebox';
import type { Static } from '@fastify/type-provider-typebox';
import type { CallMaker, CommandRequest } from '../commands/call-maker.ts';
import { openSchema } from '../commands/fill-in.ts';
import { COMMANDS } from '../messages/v16/index.ts';
import * as commandList from '../store/command-list.ts';
import type { CommandRow } from '../store/command-list.ts';
import { COMMAND_STATUSES } from '../store/commands.ts';
import { idOf, nullable, OfStation, oneOf, Period, readPeriod, StationParams, Time } from './fields.ts';
import { commandIdOf } from './idempotency.ts';
import { ocppBody } from './ocpp-body.ts';
import { listQuery, pageOf, Pager } from './paging.ts';
import { Problem } from './problem.ts';
import type { ApiContext, App } from './route.ts';

const MAX_WAIT_SECONDS = 300;
const MAX_TTL_SECONDS = 31 * 86_400;
/** What we send, in the order of the table. */
export const COMMAND_ACTIONS = (Object.keys(ACTIONS) as Action[]).filter((action): action is CommandAction =>
  mayBeSentBy('manager', action),
);

const CallError = Type.Object(
  { code: Type.String(), description: Type.String(), details: Type.Unknown() },
  { description: 'The CALLERROR of the station, or why its answer cannot be read' },
);
const COMMAND = {
  commandId: Type.String(),
  stationId: Type.String(),
  action: Type.String(),
  status: oneOf(
    COMMAND_STATUSES,
    'queued: waits for its turn or its station. sent: waits for the answer. failed: the station answered with a CALLERROR. ' +
      'connectionLost: the connection ended before the answer, and the station must not get it twice; a late answer still counts',
  ),
  request: Type.Unknown({ description: 'Without its secrets' }),
  response: Type.Unknown({ description: 'Null until it is answered' }),
  error: nullable(CallError),
  hint: nullable(Type.String({ description: 'What may help after a failure' })),
  requestedBy: nullable(Type.String({ description: 'Name of the API key' })),
  createdAt: Time,
  expiresAt: Time,
  sentAt: nullable(Time),
  settledAt: nullable(Time),
};
/** A command as the API shows it. */
export const Command = Type.Object(COMMAND, {
  title: 'Command',
  description: 'The command and its outcome',
});
/** A command that began a job. */
export const CommandAnswer = Type.Object(
  { ...COMMAND, jobId: nullable(Type.Integer({ description: 'The job that it started' })) },
  { title: 'JobCommand', description: 'The command and its outcome' },
);
/** How a command is sent, in the query of its route. */
export const CommandOptions = Type.Object(
  {
    waitSeconds: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: MAX_WAIT_SECONDS,
        default: 30,
        description: 'Seconds that this request waits for the outcome; 0: not at all',
      }),
    ),
    ttlSeconds: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: MAX_TTL_SECONDS,
        default: 0,
        description: 'Seconds that the command waits for a station that is away; 0: the command is refused',
      }),
    ),
    skipRules: Type.Optional(
      Type.Boolean({
        default: false,
        description: 'Skip the rules of OCPP and check the schema only, for certification',
      }),
    ),
  },
  { additionalProperties: false },
);
export type CommandQuery = Static<typeof CommandOptions>;
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

/** Commands: a route for each action that we send, and every command ever sent. */
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
        body: bodyOf(action),
        response: { 200: Command, 202: Command },
      },
    },
    async (request, reply) => {
      const { stationId } = request.params;
      const requestedBy = await keys.nameOf(request);
      const sent = { stationId, action, request: request.body, requestedBy, ...commandIdOf(request) };
      const command = await sendCommand(callMaker, sent, request.query);
      return reply.code(command.settledAt === null ? 202 : 200).send(command);
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
      const meant = COMMAND_ACTIONS.find((known) => known.toLowerCase() === action.toLowerCase());
      const hint = meant === undefined ? '' : `; ${meant} is meant, perhaps`;
      throw new Problem(
        404,
        `${action.slice(0, 50)} is no command${hint}; these are: ${COMMAND_ACTIONS.join(', ')}`,
        { field: 'action' },
      );
    },
  );
}

interface Sending extends Pick<
  CommandRequest,
  'stationId' | 'action' | 'request' | 'alongside' | 'commandId'
> {
  requestedBy: string | undefined;
}

/** How long a request waits for the outcome of its command, when it does not say. */
export const DEFAULT_WAIT_SECONDS = 30;

/** Sends a command and waits for its outcome as long as `waitSeconds` says; the command as it then stands. */
export async function sendCommand(
  callMaker: CallMaker,
  { requestedBy, ...sent }: Sending,
  { waitSeconds = DEFAULT_WAIT_SECONDS, ttlSeconds, skipRules }: CommandQuery,
): Promise<CommandRow> {
  const call = {
    ...sent,
    ...(ttlSeconds !== undefined && { ttlSeconds }),
    ...(skipRules !== undefined && { skipRules }),
    ...(requestedBy !== undefined && { requestedBy }),
  };
  return callMaker.send(call, waitSeconds * 1000);
}

/** An OCPP request for people: the ids that are ours to give may be left out. */
function bodyOf(action: CommandAction) {
  return Type.Unsafe<object>(ocppBody(openSchema(SCHEMAS[action].request, COMMANDS[action].ids)));
}
