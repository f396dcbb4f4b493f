import { Type } from '@fastify/type-provider-typebox';
import { nullable, oneOf, Text, Time } from '../http/fields.ts';
import { Ask } from './ask-composite-schedule.ts';

const MAX_DURATION_SECONDS = 31 * 86_400;
const UNIT = oneOf(['A', 'W'] as const);
const Limit = nullable(Type.Number({ description: 'null: no limit' }));

/** What the station reported, and what is expected. */
export const Answer = Type.Object(
  {
    connectorId: Type.Integer(),
    chargingRateUnit: Text,
    status: nullable(
      Type.String({
        description: 'Accepted, or why there is no schedule; null: the station reported nothing',
      }),
    ),
    durationSeconds: nullable(Type.Integer({ description: 'The requested duration' })),
    scheduleStart: nullable(Time),
    chargingSchedule: Type.Unknown({ description: 'Its periods count from scheduleStart; null without one' }),
    askedAt: nullable(Time),
    asked: Ask,
    expected: Type.Object(
      {
        chargingRateUnit: UNIT,
        scheduleStart: Time,
        durationSeconds: Type.Integer(),
        transactionId: nullable(
          Type.Integer({
            description: 'The transaction on the connector; without one only ChargePointMaxProfiles count',
          }),
        ),
        assumesTransaction: Type.Boolean({
          description:
            'true: the station applies TxDefaultProfiles to connectors without a transaction, as if one started with its schedule, and so does `expected`. false: it does not, or there is no evidence of it',
        }),
        periods: Type.Array(
          Type.Object({
            startPeriod: Type.Integer({ description: 'Seconds after scheduleStart' }),
            limit: Limit,
            numberPhases: nullable(Type.Integer()),
          }),
        ),
      },
      {
        description:
          'Result of the profiles that the station is known to have accepted; for connector 0 only of its ChargePointMaxProfiles',
      },
    ),
    differences: nullable(
      Type.Array(Type.Object({ from: Time, to: Time, expectedLimit: Limit, toldLimit: Limit }), {
        description:
          'Times at which the reported limit differs from the expected one; null when nothing comparable was reported. A limit where none is expected is the maximum of the station itself and not included; nor are differences of at most a second, because stations round to whole seconds',
      }),
    ),
  },
  { title: 'CompositeSchedule', description: 'The last answer of the station, and what is expected' },
);

/** Duration, unit, and whether to ask the station. */
export const Query = Type.Object(
  {
    duration: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MAX_DURATION_SECONDS,
        description:
          'Seconds from now; if omitted, the last answer is shown for its own time and the station is not asked',
      }),
    ),
    unit: Type.Optional(
      oneOf(['A', 'W'] as const, 'Default: the unit of the last answer, or one that the station accepts'),
    ),
    ask: Type.Optional(
      Type.Boolean({
        description:
          'false: show the last answer without asking the station. Asking requires the role operator',
      }),
    ),
  },
  { additionalProperties: false },
);
