import { Type } from '@fastify/type-provider-typebox';
import * as stations from '../store/stations.ts';
import { isStationId } from './fields.ts';
import { Problem } from './problem.ts';
import type { ApiContext, App } from './route.ts';

const Params = Type.Object({ stationId: Type.String() });

/** What gateways ask at a handshake. Not for users: it has a key of its own and is no part of the OpenAPI. */
export function gatewayRoutes(app: App, { database, unknownStations }: ApiContext): void {
  app.get(
    '/gateway/stations/:stationId',
    { config: { role: 'gateway' }, schema: { params: Params, hide: true } },
    async ({ params: { stationId } }) => {
      const known = await stations.credentials(database, stationId);
      if (known) return known;
      // A gateway takes 404 for an answer and all else for a manager that is away, so an impossible id is merely unknown.
      if (unknownStations === 'reject' || !isStationId(stationId)) throw unknown(stationId);
      await stations.addUnknown(database, stationId);
      const added = await stations.credentials(database, stationId);
      if (!added) throw unknown(stationId);
      return added;
    },
  );
}

function unknown(stationId: string): Problem {
  return new Problem(404, `station ${stationId} is not known`);
}
