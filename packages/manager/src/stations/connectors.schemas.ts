import { Type } from '@fastify/type-provider-typebox';
import { Time } from '../http/fields.ts';
import { CONNECTOR_STATUS } from './stations.schemas.ts';

/** A past status of a connector. */
export const ConnectorStatus = Type.Object(
  {
    ...CONNECTOR_STATUS,
    statusAt: Time,
    receivedAt: Time,
  },
  { title: 'ConnectorStatus' },
);
