import { Type } from '@fastify/type-provider-typebox';
import { nullable, oneOf, Text, Time, TimeText } from '../http/fields.ts';

export const Registration = oneOf(['Accepted', 'Pending', 'Rejected'] as const);
export const Availability = nullable(
  Type.Object(
    {
      requested: oneOf(['Operative', 'Inoperative'] as const),
      answer: Type.String({ description: 'Scheduled: when its transactions have ended' }),
      requestedAt: TimeText,
    },
    { description: 'What was asked of it last by ChangeAvailability' },
  ),
);
export const Connector = Type.Object(
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
export const TurnedAway = Type.Object(
  {
    reason: Type.String(),
    status: Type.Integer({ description: 'Of the HTTP answer' }),
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
    adopted: Type.Boolean({ description: 'false: it was turned away and nobody has added it; PUT adds it' }),
    connected: Type.Boolean(),
    connectedAt: nullable(Time),
    disconnectedAt: nullable(
      Type.Unsafe<Date>({
        ...Time,
        description:
          'When its last connection ended; null while it is open, and when its gateway died with it',
      }),
    ),
    connectionId: nullable(Type.String({ description: 'Of its last connection' })),
    gatewayId: Text,
    remoteAddress: Text,
    securityProfile: nullable(Type.Integer({ description: 'The lowest that it is let in with' })),
    pendingSecurityProfile: nullable(
      Type.Integer({
        description: 'What it was told to come with: takes the place of the other when it does',
      }),
    ),
    connectionSecurityProfile: nullable(
      Type.Integer({ description: 'What the handshake of its last connection has met' }),
    ),
    serialNumbers: nullable(Type.Array(Type.String())),
    certificateFingerprint: nullable(
      Type.String({ description: 'SHA-256 of the client certificate that it showed last' }),
    ),
    userName: nullable(Type.String({ description: 'Its Basic user name when that is not its id' })),
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
        description: 'A Reset was accepted, and no BootNotification has followed',
      }),
    ),
    connectors: Type.Array(Connector),
    turnedAway: Type.Array(TurnedAway, { description: 'Handshakes refused since it was changed last' }),
  },
  { title: 'Station', description: 'The station' },
);
