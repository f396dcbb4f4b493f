import { Type } from '@fastify/type-provider-typebox';
import type { Static } from '@fastify/type-provider-typebox';
import { nullable, oneOf, Time } from '../http/fields.ts';
import { COMMAND_STATUSES } from './commands.store.ts';

const MAX_WAIT_SECONDS = 300;
export const MAX_TTL_SECONDS = 31 * 86_400;

/** How long an API request waits for the outcome of its command by default. */
export const DEFAULT_WAIT_SECONDS = 30;
const CallError = Type.Object(
  { code: Type.String(), description: Type.String(), details: Type.Unknown() },
  { description: 'The CALLERROR from the station, or why its answer cannot be read' },
);
const COMMAND = {
  commandId: Type.String(),
  stationId: Type.String(),
  action: Type.String(),
  status: oneOf(
    COMMAND_STATUSES,
    'queued: waits for its turn or for the station. sent: waits for the answer. failed: the station answered with a CALLERROR. ' +
      'connectionLost: the connection ended before the answer, and the command must not be sent twice; a late answer still counts',
  ),
  request: Type.Unknown({ description: 'Without its secrets' }),
  response: Type.Unknown({ description: 'Null until the station answers' }),
  error: nullable(CallError),
  hint: nullable(Type.String({ description: 'What may help after a failure' })),
  requestedBy: nullable(Type.String({ description: 'Name of the API key' })),
  createdAt: Time,
  expiresAt: Time,
  sentAt: nullable(Time),
  completedAt: nullable(Time),
};

/** A command as the API shows it. */
export const Command = Type.Object(COMMAND, {
  title: 'Command',
  description: 'The command and its outcome',
});

/** A command that started a job. */
export const CommandAnswer = Type.Object(
  { ...COMMAND, jobId: nullable(Type.Integer({ description: 'The job that it started' })) },
  { title: 'JobCommand', description: 'The command and its outcome' },
);

/** Query parameters of routes that send a command. */
export const CommandOptions = Type.Object(
  {
    waitSeconds: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: MAX_WAIT_SECONDS,
        default: DEFAULT_WAIT_SECONDS,
        description: 'Seconds that this request waits for the outcome; 0: it does not wait',
      }),
    ),
    ttlSeconds: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: MAX_TTL_SECONDS,
        default: 0,
        description:
          'Seconds that the command waits for a station that is not connected; 0: the command is refused',
      }),
    ),
    skipRules: Type.Optional(
      Type.Boolean({
        default: false,
        description: 'Skip the rules of OCPP and check only the schema, for certification',
      }),
    ),
  },
  { additionalProperties: false },
);
export type CommandQuery = Static<typeof CommandOptions>;
