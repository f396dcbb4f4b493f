import { Type } from '@fastify/type-provider-typebox';
import type { ApiContext } from '../api-context.ts';
import { isStationId } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import type { App } from '../http/route.ts';
import * as stations from '../stations/stations.store.ts';
import type { StationCredentials } from '../stations/stations.store.ts';

const Params = Type.Object({ stationId: Type.String() });
const ClientCertificate = Type.Object({ certificateChain: Type.String({ maxLength: 100_000 }) });
const Stations = Type.Object({
  stationIds: Type.Array(Type.String(), { minItems: 1, maxItems: 1000 }),
});
const Names = Type.Object({
  names: Type.Array(Type.String({ maxLength: 255 }), { minItems: 1, maxItems: 100 }),
});

/** Routes for gateways. They have a key of their own, and these routes are not part of the OpenAPI document. */
export function gatewayRoutes(app: App, context: ApiContext): void {
  const { judge, authority, serverKeySealer } = context;
  app.get(
    '/gateway/stations/:stationId',
    { config: { role: 'gateway' }, schema: { params: Params, hide: true } },
    ({ params: { stationId } }) => credentialsOf(stationId, context),
  );
  app.post(
    '/gateway/stations/:stationId',
    { config: { role: 'gateway' }, schema: { params: Params, body: ClientCertificate, hide: true } },
    async ({ params: { stationId }, body: { certificateChain } }) => {
      const credentials = await credentialsOf(stationId, context);
      return { ...credentials, certificate: { fault: await judge.faultOf(stationId, certificateChain) } };
    },
  );
  app.post(
    '/gateway/stations',
    { config: { role: 'gateway' }, schema: { body: Stations, hide: true } },
    async ({ body: { stationIds } }) => ({ stations: await credentialsOfAll(stationIds, context) }),
  );
  app.post(
    '/gateway/server-certificates',
    { config: { role: 'gateway' }, schema: { body: Names, hide: true } },
    async ({ body: { names } }) => {
      const pairs = await authority.issueServer(names);
      // Sealed, because the pairs contain private keys.
      return { sealed: serverKeySealer.seal(JSON.stringify(pairs)).toString('base64') };
    },
  );
}

async function credentialsOf(stationId: string, context: ApiContext): Promise<StationCredentials> {
  const [found] = await credentialsOfAll([stationId], context);
  // A gateway accepts 404 as an answer and takes any other error for an unavailable manager, so an invalid id is merely unknown.
  if (!found) throw unknown(stationId);
  return found;
}

/** Credentials in the order of the ids; null for unknown stations. */
async function credentialsOfAll(
  stationIds: string[],
  { database, unknownStations, heartbeatSeconds }: ApiContext,
): Promise<(StationCredentials | null)[]> {
  const known = await stations.credentialsOfAll(database, stationIds);
  const unknownIds = stationIds.filter((stationId) => !known.has(stationId) && isStationId(stationId));
  if (unknownStations === 'accept' && unknownIds.length > 0) {
    await stations.addUnknown(database, unknownIds);
    for (const [id, added] of await stations.credentialsOfAll(database, unknownIds)) known.set(id, added);
  }
  return stationIds.map((stationId) => {
    const found = known.get(stationId);
    // The next BootNotification response may give the station the longer interval.
    return found
      ? { ...found, heartbeatSeconds: Math.max(found.heartbeatSeconds ?? 0, heartbeatSeconds) }
      : null;
  });
}

function unknown(stationId: string): Problem {
  return new Problem(404, `station ${stationId} is not known`);
}
