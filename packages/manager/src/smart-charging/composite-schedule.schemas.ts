import { Type } from '@fastify/type-provider-typebox';
import { nullable, oneOf, Text, Time } from '../http/fields.ts';
import { Ask } from './ask-composite-schedule.ts';

const MAX_DURATION_SECONDS = 31 * 86_400;
const UNIT = oneOf(['A', 'W'] as const);
const Limit = nullable(Type.Number({ description: 'null: no limit' }));

/** What a station told, beside what is expected. */
export const Answer = Type.Object(
  {
    connectorId: Type.Integer(),
    chargingRateUnit: Text,
    status: nullable(
      Type.String({
        description: 'Accepted, or why there is no schedule; null: the station has told nothing',
      }),
    ),
    durationSeconds: nullable(Type.Integer({ description: 'Asked for' })),
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
          Type.Integer({ description: 'What runs there; without one only ChargePointMaxProfiles count' }),
        ),
        assumesTransaction: Type.Boolean({
          description:
            'true: the station applies TxDefaultProfiles to connectors without a transaction, as if one began with its schedule, and so does what is expected. false: it does not, or that does not show',
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
          'What comes of the profiles that the station has accepted, as far as we know; of connector 0 its ChargePointMaxProfiles',
      },
    ),
    differences: nullable(
      Type.Array(Type.Object({ from: Time, to: Time, expectedLimit: Limit, toldLimit: Limit }), {
        description:
          'When another limit was told than expected; null when nothing was told that can be compared. A limit where none is expected is the own maximum of the station, and not among them; nor is what lasts a second at most, since stations round to whole seconds',
      }),
    ),
  },
  { title: 'CompositeSchedule', description: 'What the station said last, beside what is expected' },
);

/** For which time, in which unit, asked or not. */
export const Query = Type.Object(
  {
    duration: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MAX_DURATION_SECONDS,
        description:
          'Seconds from now on; without it the time of the last answer, and the station is not asked',
      }),
    ),
    unit: Type.Optional(
      oneOf(['A', 'W'] as const, 'Without it that of the last answer, or what the station takes'),
    ),
    ask: Type.Optional(
      Type.Boolean({
        description: 'false: the station is not asked, its last answer is shown. To ask needs an operator',
      }),
    ),
  },
  { additionalProperties: false },
);
