import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Database } from '../database/database.ts';
import { Problem } from '../http/problem.ts';
import * as stations from './stations.store.ts';

const UNDER_A_STATION = /\/stations\/:stationId\//;

/**
 * Answers 404 to what is asked under a station that is not known. Lists are judged once they are read: those of a station that was removed
 * still have what it did, and an empty one would say that the station is there and has nothing.
 */
export function requireKnownStations(app: FastifyInstance, { database }: { database: Database }): void {
  const requireStation = async ({ params }: FastifyRequest): Promise<void> => {
    const { stationId } = params as { stationId: string };
    if (await stations.find(database, stationId)) return;
    const path = `/api/v1/stations/${encodeURIComponent(stationId)}`;
    throw new Problem(404, `station ${stationId} is not known; PUT ${path} adds it`);
  };
  app.addHook('preHandler', async (request) => {
    if (isUnderStation(request) && !isList(request)) await requireStation(request);
  });
  app.addHook('preSerialization', async (request, reply, payload) => {
    // A 204 has none.
    const items = (payload as { items?: unknown[] } | null)?.items;
    if (items?.length === 0 && reply.statusCode === 200 && isUnderStation(request))
      await requireStation(request);
    return payload;
  });
}

function isUnderStation({ routeOptions: { url = '' } }: FastifyRequest): boolean {
  return UNDER_A_STATION.test(url);
}

function isList({ routeOptions: { schema } }: FastifyRequest): boolean {
  const { properties = {} } = (schema?.querystring ?? {}) as { properties?: object };
  return 'cursor' in properties;
}
