import * as stations from '../store/stations.ts';
import { bearerOf, isSame } from './authentication.ts';
import { StationParams } from './fields.ts';
import { Problem } from './problem.ts';
import type { ApiContext, App } from './route.ts';

/** What gateways ask at a handshake. Not for users: it has a key of its own and is no part of the OpenAPI. */
export function gatewayRoutes(app: App, { database, gatewayKey, unknownStations }: ApiContext): void {
  app.get(
    '/gateway/stations/:stationId',
    { schema: { params: StationParams, hide: true } },
    async (request) => {
      if (!isSame(bearerOf(request) ?? '', gatewayKey)) {
        throw new Problem(
          401,
          'the gateway key is wrong; is EVANDER_SECRET the same for gateways and managers?',
        );
      }
      const { stationId } = request.params;
      const known = await stations.credentials(database, stationId);
      if (known) return known;
      if (unknownStations === 'reject') throw new Problem(404, `station ${stationId} is not known`);
      await stations.addUnknown(database, stationId);
      return stations.credentials(database, stationId);
    },
  );
}
