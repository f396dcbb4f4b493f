import { Type } from '@fastify/type-provider-typebox';
import { Text, Time } from '../http/fields.ts';

/** A security event as the API shows it. */
export const SecurityEvent = Type.Object(
  {
    stationId: Type.String(),
    type: Type.String({ description: 'Not a closed list: stations may define their own types' }),
    occurredAt: Type.Unsafe<Date>({ ...Time, description: "By the station's clock" }),
    isCritical: Type.Boolean({ description: 'The security extension of OCPP 1.6 calls this type critical' }),
    techInfo: Text,
    receivedAt: Time,
  },
  { title: 'SecurityEvent' },
);
