import { Type } from '@fastify/type-provider-typebox';
import { Int32, nullable, Text, Time } from '../http/fields.ts';

export const MeterValue = Type.Object(
  {
    measuredAt: Time,
    connectorId: Int32,
    transactionId: nullable(Type.Integer()),
    context: Type.String(),
    measurand: Type.String(),
    phase: Text,
    location: Type.String(),
    format: Type.String(),
    unit: Text,
    value: Type.String({ description: 'As the station sent it' }),
    receivedAt: Time,
  },
  { title: 'MeterValue' },
);

/** Query parameters that filter samples. */
export const METER_VALUE_FILTERS = {
  measurand: Type.Optional(Type.String({ description: 'Such as Energy.Active.Import.Register' })),
  context: Type.Optional(Type.String({ description: 'Such as Sample.Periodic' })),
};
