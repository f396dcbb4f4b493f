import { INT32_MAX } from '@evander/ocpp';
import { Type } from '@fastify/type-provider-typebox';
import { idOf, nullable, oneOf, Time, TimeText } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';

/** What a profile is for. */
export const Purpose = oneOf(['ChargePointMaxProfile', 'TxDefaultProfile', 'TxProfile'] as const);
const Seconds = Type.Integer({ minimum: 0, maximum: INT32_MAX });
const Rate = Type.Number({ minimum: 0, maximum: 1e9, multipleOf: 0.1, description: 'At most one decimal' });
const Phases = Type.Integer({ minimum: 1, maximum: 3 });
const Schedule = Type.Object(
  {
    startSchedule: Type.Optional(TimeText),
    duration: Type.Optional(Seconds),
    minChargingRate: Type.Optional(Rate),
    periods: Type.Array(
      Type.Object(
        { startPeriod: Seconds, limit: Rate, numberPhases: Type.Optional(Phases) },
        { additionalProperties: false },
      ),
      { minItems: 1, maxItems: 1000 },
    ),
  },
  { additionalProperties: false },
);
const Name = Type.String({ pattern: '\\S', maxLength: 100, description: 'Must not be blank' });
const NEEDED = {
  name: Name,
  purpose: Purpose,
  stackLevel: Type.Integer({ minimum: 0, maximum: INT32_MAX }),
  kind: oneOf(['Absolute', 'Recurring', 'Relative'] as const),
  unit: oneOf(['A', 'W'] as const),
  schedule: Schedule,
};
const RecurrencyKind = oneOf(['Daily', 'Weekly'] as const);
const Voltage = Type.Number({
  exclusiveMinimum: 0,
  maximum: 1000,
  description:
    'Phase-to-neutral voltage in V; with phases, used to convert between A and W for stations that accept only the other unit',
});

/** A new template. */
export const New = Type.Object(
  {
    ...NEEDED,
    recurrencyKind: Type.Optional(RecurrencyKind),
    validFrom: Type.Optional(TimeText),
    validTo: Type.Optional(TimeText),
    voltage: Type.Optional(Voltage),
    phases: Type.Optional(Phases),
  },
  {
    additionalProperties: false,
    examples: [
      {
        name: 'night',
        purpose: 'TxDefaultProfile',
        stackLevel: 0,
        kind: 'Recurring',
        recurrencyKind: 'Daily',
        unit: 'A',
        schedule: {
          startSchedule: '2026-11-20T22:00:00.000Z',
          duration: 28_800,
          periods: [{ startPeriod: 0, limit: 16 }],
        },
      },
    ],
  },
);

/** A change of a template; null clears an optional field. */
export const Change = Type.Object(
  {
    name: Type.Optional(NEEDED.name),
    purpose: Type.Optional(NEEDED.purpose),
    stackLevel: Type.Optional(NEEDED.stackLevel),
    kind: Type.Optional(NEEDED.kind),
    unit: Type.Optional(NEEDED.unit),
    schedule: Type.Optional(NEEDED.schedule),
    recurrencyKind: Type.Optional(nullable(RecurrencyKind)),
    validFrom: Type.Optional(nullable(TimeText)),
    validTo: Type.Optional(nullable(TimeText)),
    voltage: Type.Optional(nullable(Voltage)),
    phases: Type.Optional(nullable(Phases)),
  },
  { additionalProperties: false, examples: [{ name: 'night, winter' }] },
);

/** A template in responses. */
export const Template = Type.Object(
  {
    templateId: Type.String(),
    ...NEEDED,
    recurrencyKind: nullable(RecurrencyKind),
    validFrom: nullable(TimeText),
    validTo: nullable(TimeText),
    voltage: nullable(Type.Number()),
    phases: nullable(Type.Integer()),
    createdAt: Time,
    updatedAt: Time,
  },
  { title: 'ChargingProfileTemplate', description: 'The template' },
);
export const TemplateParams = Type.Object({ templateId: idOf('template') });

/** The 404 for an unknown template. */
export function unknownTemplate(templateId: string): Problem {
  return new Problem(
    404,
    `charging profile template ${templateId} is not known; GET /api/v1${BASE} lists the known ones`,
  );
}
export const BASE = '/charging-profile-templates';
