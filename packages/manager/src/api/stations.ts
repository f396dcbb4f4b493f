import { Type } from '@fastify/type-provider-typebox';
import type { Static } from '@fastify/type-provider-typebox';
import { hashStationPassword } from '@evander/process';
import * as stationList from '../store/station-list.ts';
import * as stations from '../store/stations.ts';
import { nullable, oneOf, StationParams, Time } from './fields.ts';
import { listQuery, page, pageOf, readCursor } from './paging.ts';
import { Problem } from './problem.ts';
import type { ApiContext, App } from './route.ts';

const Registration = oneOf(['Accepted', 'Pending', 'Rejected'] as const);
const Text = nullable(Type.String());
const Connector = Type.Object({
  connectorId: Type.Integer(),
  status: Type.String(),
  errorCode: Type.String(),
  info: Text,
  vendorId: Text,
  vendorErrorCode: Text,
  statusAt: Type.String(),
  receivedAt: Type.String(),
});
const TurnedAway = Type.Object({
  reason: Type.String(),
  status: Type.Integer(),
  remoteAddress: Text,
  count: Type.Integer(),
  firstAt: Type.String(),
  lastAt: Type.String(),
});
const Station = Type.Object({
  stationId: Type.String(),
  adopted: Type.Boolean({
    description: 'false: it was turned away and nobody has added it; add it with PUT',
  }),
  connected: Type.Boolean(),
  connectedAt: nullable(Time),
  gatewayId: Text,
  remoteAddress: Text,
  securityProfile: nullable(Type.Integer()),
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
  connectors: Type.Array(Connector),
  turnedAway: Type.Array(TurnedAway),
});
const Change = Type.Object(
  {
    securityProfile: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 3,
        description: '0 none, 1 password, 2 TLS and password, 3 client certificate',
      }),
    ),
    password: Type.Optional(
      Type.String({
        minLength: 8,
        maxLength: 40,
        description:
          '32 to 40 hex digits are an AuthorizationKey, whose bytes are the password; anything else is text',
      }),
    ),
    bootAnswer: Type.Optional(
      oneOf(['Accepted', 'Pending', 'Rejected'] as const, 'What its next BootNotification is answered'),
    ),
  },
  { additionalProperties: false },
);
const Query = listQuery({
  adopted: Type.Optional(Type.Boolean()),
  connected: Type.Optional(Type.Boolean()),
  registrationStatus: Type.Optional(Registration),
  prefix: Type.Optional(Type.String({ description: 'Beginning of the id' })),
});
const tags = ['stations'];

/** Stations: added, changed, listed with their connectors, removed. */
export function stationRoutes(app: App, context: ApiContext): void {
  const { database, onStationChanged } = context;
  app.get(
    '/stations',
    {
      config: { role: 'viewer' },
      schema: {
        summary: 'Stations, also those that were turned away',
        tags,
        querystring: Query,
        response: { 200: pageOf(Station) },
      },
    },
    async ({ query }) => {
      const [after = null] = readCursor(query.cursor, ['string']) ?? [];
      const { adopted, connected, registrationStatus, prefix } = query;
      const filter = { adopted, connected, registrationStatus, prefix, after: after as string | null };
      const rows = await stationList.list(database, { ...filter, rows: query.limit + 1 });
      return page(rows, query.limit, ({ stationId }) => [stationId]);
    },
  );
  app.get(
    '/stations/:stationId',
    {
      config: { role: 'viewer' },
      schema: { summary: 'A station', tags, params: StationParams, response: { 200: Station } },
    },
    async ({ params: { stationId } }) => {
      const station = await stationList.get(database, stationId);
      if (!station) throw unknown(stationId);
      return station;
    },
  );
  app.put(
    '/stations/:stationId',
    {
      config: { role: 'operator' },
      schema: {
        summary: 'Add or change a station',
        tags,
        params: StationParams,
        body: Change,
        response: { 200: Station, 201: Station },
      },
    },
    async ({ params: { stationId }, body }, reply) => {
      const isNew = await put(context, stationId, body);
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
        summary: 'Remove a station; what it charged stays',
        tags,
        params: StationParams,
        response: { 204: Type.Null() },
      },
    },
    async ({ params: { stationId } }, reply) => {
      if (!(await stationList.remove(database, stationId))) throw unknown(stationId);
      onStationChanged(stationId);
      return reply.code(204).send(null);
    },
  );
}

async function put(
  { database, passwordPepper }: ApiContext,
  stationId: string,
  body: Static<typeof Change>,
): Promise<boolean> {
  // eslint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f]/.test(stationId))
    throw new Problem(400, 'a station id must not hold control characters');
  const known = await stations.credentials(database, stationId);
  const {
    password,
    securityProfile = known?.securityProfile ?? (password === undefined ? 0 : 1),
    bootAnswer,
  } = body;
  const passwordHashes = password === undefined ? null : hashesOf(password, stationId, passwordPepper);
  const hasPassword = (passwordHashes ?? known?.passwordHashes ?? []).length > 0;
  if ((securityProfile === 1 || securityProfile === 2) && !hasPassword) {
    throw new Problem(
      400,
      `station ${stationId} has no password, and security profile ${securityProfile} wants one; send "password" too`,
    );
  }
  const isNew = await stationList.put(database, {
    stationId,
    securityProfile,
    passwordHashes,
    bootAnswer: bootAnswer ?? null,
  });
  await stationList.forgetTurnedAway(database, stationId);
  return isNew;
}

// Stations send a key's bytes or its hex text, in whatever case (ocppj.md AUT.3–AUT.6).
function hashesOf(password: string, stationId: string, pepper: string): string[] {
  const isKey = /^([0-9a-f]{2}){16,20}$/i.test(password);
  const texts = isKey ? [password, password.toLowerCase(), password.toUpperCase()] : [password];
  const forms = texts.map((text) => Buffer.from(text));
  if (isKey) forms.push(Buffer.from(password, 'hex'));
  return [...new Set(forms.map((form) => hashStationPassword(form, stationId, pepper)))];
}

function unknown(stationId: string): Problem {
  return new Problem(
    404,
    `station ${stationId} is not known; add it with PUT /api/v1/stations/${encodeURIComponent(stationId)}`,
  );
}
