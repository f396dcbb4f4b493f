import { Type } from '@fastify/type-provider-typebox';
import * as stationList from '../store/station-list.ts';
import type { StationRow } from '../store/station-list.ts';
import { nullable, oneOf, StationParams, Text, Time, TimeText } from './fields.ts';
import { listQuery, pageOf, Pager } from './paging.ts';
import { Problem } from './problem.ts';
import type { ApiContext, App } from './route.ts';
import { putStation, StationChange } from './station-change.ts';

const Registration = oneOf(['Accepted', 'Pending', 'Rejected'] as const);
const Availability = nullable(
  Type.Object(
    {
      requested: oneOf(['Operative', 'Inoperative'] as const),
      answer: Type.String({ description: 'Scheduled: after its transactions have ended' }),
      requestedAt: TimeText,
    },
    { description: 'The last request by ChangeAvailability' },
  ),
);
const Connector = Type.Object(
  {
    connectorId: Type.Integer(),
    status: Type.String({ examples: ['Charging'] }),
    errorCode: Type.String(),
    info: Text,
    vendorId: Text,
    vendorErrorCode: Text,
    statusAt: TimeText,
    receivedAt: TimeText,
    availability: Availability,
  },
  { title: 'Connector' },
);
const TurnedAway = Type.Object(
  {
    reason: Type.String(),
    status: Type.Integer({ description: 'Status of the HTTP response' }),
    remoteAddress: Text,
    count: Type.Integer(),
    firstAt: TimeText,
    lastAt: TimeText,
  },
  { title: 'RefusedHandshake' },
);
/** A station as the API shows it. */
export const Station = Type.Object(
  {
    stationId: Type.String(),
    adopted: Type.Boolean({ description: 'false: it was rejected and nobody has added it; PUT adds it' }),
    connected: Type.Boolean(),
    connectedAt: nullable(Time),
    disconnectedAt: nullable(
      Type.Unsafe<Date>({
        ...Time,
        description: 'When its last connection ended; null while it is open, and if its gateway died',
      }),
    ),
    connectionId: nullable(Type.String({ description: 'Id of its last connection' })),
    gatewayId: Text,
    remoteAddress: Text,
    securityProfile: nullable(
      Type.Integer({ description: 'The lowest security profile with which it is accepted' }),
    ),
    pendingSecurityProfile: nullable(
      Type.Integer({
        description:
          'The security profile that it was told to use; replaces the other when it connects with it',
      }),
    ),
    connectionSecurityProfile: nullable(
      Type.Integer({ description: 'The security profile that the handshake of its last connection met' }),
    ),
    serialNumbers: nullable(Type.Array(Type.String())),
    certificateFingerprint: nullable(Type.String({ description: 'SHA-256 of its last client certificate' })),
    userName: nullable(Type.String({ description: 'Its Basic user name if that is not its id' })),
    assumedSubprotocol: nullable(
      oneOf(['ocpp1.6'] as const, 'Spoken with it when its handshake offers no subprotocol'),
    ),
    bootAnswer: nullable(Registration),
    registrationStatus: nullable(Registration),
    bootedAt: nullable(Time),
    vendor: Text,
    model: Text,
    chargePointSerialNumber: Text,
    chargeBoxSerialNumber: Text,
    firmwareVersion: Text,
    iccid: Text,
    imsi: Text,
    meterType: Text,
    meterSerialNumber: Text,
    lastSeenAt: nullable(Time),
    createdAt: nullable(Time),
    availability: Availability,
    resetPendingSince: nullable(
      Type.Unsafe<Date>({
        ...Time,
        description: 'Since when an accepted Reset has had no BootNotification',
      }),
    ),
    connectors: Type.Array(Connector),
    turnedAway: Type.Array(TurnedAway, {
      description: 'Handshakes rejected since the station was last changed',
    }),
  },
  { title: 'Station', description: 'The station' },
);
const Query = listQuery({
  adopted: Type.Optional(
    Type.Boolean({ description: 'true: only stations that were added; false: only rejected ones' }),
  ),
  connected: Type.Optional(Type.Boolean({ description: 'true: only connected ones; false: only others' })),
  registrationStatus: Type.Optional({
    ...Registration,
    description: 'Only stations with this answer to their last BootNotification',
  }),
  prefix: Type.Optional(Type.String({ description: 'Beginning of the id' })),
});
const PAGER = new Pager(['text'], ({ stationId }: StationRow) => [stationId]);
const tags = ['stations'];

/** Stations: added, changed, shown with their connectors, removed. */
export function stationRoutes(app: App, context: ApiContext): void {
  const { database } = context;
  app.get(
    '/stations',
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'listStations',
        summary: 'Stations by id, including rejected ones',
        tags,
        querystring: Query,
        response: { 200: pageOf(Station) },
      },
    },
    ({ query }) =>
      PAGER.page(query, ({ after, rows }) =>
        stationList.list(database, { ...query, after: after?.[0] ?? null, rows }),
      ),
  );
  app.get(
    '/stations/:stationId',
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'getStation',
        summary: 'A station',
        tags,
        params: StationParams,
        response: { 200: Station },
      },
    },
    async ({ params: { stationId } }) => {
      const station = await stationList.get(database, stationId);
      if (!station) throw unknown(stationId);
      return station;
    },
  );
  addWrites(app, context);
}

function addWrites(app: App, context: ApiContext): void {
  const { database, onStationChanged } = context;
  app.put(
    '/stations/:stationId',
    {
      config: { role: 'operator', problems: [409] },
      schema: {
        operationId: 'putStation',
        summary: 'Add or change a station; omitted fields keep their value',
        tags,
        params: StationParams,
        body: StationChange,
        response: { 200: Station, 201: Station },
      },
    },
    async ({ params: { stationId }, body }, reply) => {
      const isNew = await putStation(context, stationId, body);
      onStationChanged(stationId);
      const station = await stationList.get(database, stationId);
      if (!station) throw unknown(stationId);
      return reply.code(isNew ? 201 : 200).send(station);
    },
  );
  app.delete(
    '/stations/:stationId',
    {
      config: { role: 'operator' },
      schema: {
        operationId: 'removeStation',
        summary: 'Remove a station with its connectors; its transactions and meter values stay',
        tags,
        params: StationParams,
        response: { 204: Type.Null({ description: 'Removed' }) },
      },
    },
    async ({ params: { stationId } }, reply) => {
      if (!(await stationList.remove(database, stationId))) throw unknown(stationId);
      onStationChanged(stationId);
      return reply.code(204).send(null);
    },
  );
}

function unknown(stationId: string): Problem {
  const path = `/api/v1/stations/${encodeURIComponent(stationId)}`;
  return new Problem(404, `station ${stationId} is not known; add it with PUT ${path}`);
}
