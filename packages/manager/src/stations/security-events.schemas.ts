import { Type } from '@fastify/type-provider-typebox';
import { Text, Time } from '../http/fields.ts';

/** A security event as the API shows it. */
export const SecurityEvent = Type.Object(
  {
    stationId: Type.String(),
    type: Type.String({ description: 'An open list: stations may have types of their own' }),
    occurredAt: Type.Unsafe<Date>({ ...Time, description: "By the station's clock" }),
    isCritical: Type.Boolean({ description: 'The security extension of OCPP 1.6 calls this type critical' }),
    techInfo: Text,
    receivedAt: Time,
  },
  { title: 'SecurityEvent' },
);
