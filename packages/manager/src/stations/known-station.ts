import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Database } from '../database/database.ts';
import { Problem } from '../http/problem.ts';
import * as stations from './stations.store.ts';

const UNDER_A_STATION = /\/stations\/:stationId\//;

/**
 * Responds with 404 to requests under an unknown station. Lists are checked after they are read: the lists of a removed station may still
 * have items, but an empty list would suggest that the station exists and has none.
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
    // The payload of a 204 is null.
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
