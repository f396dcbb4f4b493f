import { Type } from '@fastify/type-provider-typebox';
import type { ApiContext } from '../api-context.ts';
import { isStationId } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import type { App } from '../http/route.ts';
import * as stations from '../stations/stations.store.ts';
import type { StationCredentials } from '../stations/stations.store.ts';

const Params = Type.Object({ stationId: Type.String() });
const Shown = Type.Object({ certificateChain: Type.String({ maxLength: 100_000 }) });
const Names = Type.Object({
  names: Type.Array(Type.String({ maxLength: 255 }), { minItems: 1, maxItems: 100 }),
});

/** What gateways ask. Not for users: they have a key of their own, and none of it is part of the OpenAPI. */
export function gatewayRoutes(app: App, context: ApiContext): void {
  const { judge, authority, serverKeySealer } = context;
  app.get(
    '/gateway/stations/:stationId',
    { config: { role: 'gateway' }, schema: { params: Params, hide: true } },
    ({ params: { stationId } }) => credentialsOf(stationId, context),
  );
  app.post(
    '/gateway/stations/:stationId',
    { config: { role: 'gateway' }, schema: { params: Params, body: Shown, hide: true } },
    async ({ params: { stationId }, body: { certificateChain } }) => {
      const credentials = await credentialsOf(stationId, context);
      return { ...credentials, certificate: { fault: await judge.faultOf(stationId, certificateChain) } };
    },
  );
  app.post(
    '/gateway/server-certificates',
    { config: { role: 'gateway' }, schema: { body: Names, hide: true } },
    async ({ body: { names } }) => {
      const pairs = await authority.issueServer(names);
      // With their keys: they are for nobody on the way.
      return { sealed: serverKeySealer.seal(JSON.stringify(pairs)).toString('base64') };
    },
  );
}

async function credentialsOf(
  stationId: string,
  { database, unknownStations, heartbeatSeconds }: ApiContext,
): Promise<StationCredentials> {
  // The next BootNotification may tell it the longer one.
  const withHeartbeat = (found: StationCredentials): StationCredentials => ({
    ...found,
    heartbeatSeconds: Math.max(found.heartbeatSeconds ?? 0, heartbeatSeconds),
  });
  const known = await stations.credentials(database, stationId);
  if (known) return withHeartbeat(known);
  // A gateway takes 404 for an answer and all else for a manager that is away, so an impossible id is merely unknown.
  if (unknownStations === 'reject' || !isStationId(stationId)) throw unknown(stationId);
  await stations.addUnknown(database, stationId);
  const added = await stations.credentials(database, stationId);
  if (!added) throw unknown(stationId);
  return withHeartbeat(added);
}

function unknown(stationId: string): Problem {
  return new Problem(404, `station ${stationId} is not known`);
}
