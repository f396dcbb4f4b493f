import { Type } from '@fastify/type-provider-typebox';
import { Text, Time } from '../http/fields.ts';

/** A past status of a connector. */
export const ConnectorStatus = Type.Object(
  {
    connectorId: Type.Integer(),
    status: Type.String({ examples: ['Charging'] }),
    errorCode: Type.String(),
    info: Text,
    vendorId: Text,
    vendorErrorCode: Text,
    statusAt: Time,
    receivedAt: Time,
  },
  { title: 'ConnectorStatus' },
);
