import { Type } from '@fastify/type-provider-typebox';
import { Time } from '../http/fields.ts';
import * as events from './events.store.ts';

const GROUPS = [...new Set(events.EVENT_KINDS.map((kind) => `${kind.split('.', 1)[0]}.*`))];

/** Valid filter values: kinds and groups of kinds. */
export const KINDS: readonly string[] = [...events.EVENT_KINDS, ...GROUPS];

/** An event as the API shows it. */
export const Event = Type.Object(
  {
    id: Type.Integer({ description: 'Rises; once an id is visible, no lower id will appear' }),
    at: Time,
    kind: Type.String({ description: events.EVENT_KINDS.join(', ') }),
    stationId: Type.String(),
    data: Type.Object(
      {},
      {
        additionalProperties: true,
        title: 'EventData',
        description: 'The resource as its own route shows it, at the moment of the event',
      },
    ),
  },
  { title: 'Event' },
);
