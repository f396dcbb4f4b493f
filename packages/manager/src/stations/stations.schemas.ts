import { Type } from '@fastify/type-provider-typebox';
import { nullable, oneOf, Text, Time, TimeText } from '../http/fields.ts';

export const Registration = oneOf(['Accepted', 'Pending', 'Rejected'] as const);
export const Availability = nullable(
  Type.Object(
    {
      requested: oneOf(['Operative', 'Inoperative'] as const),
      answer: Type.String({ description: 'Scheduled: takes effect when its transactions have ended' }),
      requestedAt: TimeText,
    },
    { description: 'The last request by ChangeAvailability' },
  ),
);
/** What a connector says of itself. */
export const CONNECTOR_STATUS = {
  connectorId: Type.Integer(),
  status: Type.String({ examples: ['Charging'] }),
  errorCode: Type.String(),
  info: Text,
  vendorId: Text,
  vendorErrorCode: Text,
};
export const Connector = Type.Object(
  {
    ...CONNECTOR_STATUS,
    statusAt: TimeText,
    receivedAt: TimeText,
    availability: Availability,
  },
  { title: 'Connector' },
);
export const Rejection = Type.Object(
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
    adopted: Type.Boolean({ description: 'false: it was rejected and is not registered; PUT adds it' }),
    connected: Type.Boolean(),
    connectedAt: nullable(Time),
    disconnectedAt: nullable(
      Type.Unsafe<Date>({
        ...Time,
        description: 'When its last connection ended; null while it is open, and if its gateway crashed',
      }),
    ),
    connectionId: nullable(Type.String({ description: 'Id of its last connection' })),
    gatewayId: Text,
    remoteAddress: Text,
    securityProfile: nullable(
      Type.Integer({ description: 'The minimum security profile for its connections' }),
    ),
    pendingSecurityProfile: nullable(
      Type.Integer({
        description:
          'The security profile that it was instructed to use; replaces securityProfile when it connects with it',
      }),
    ),
    connectionSecurityProfile: nullable(
      Type.Integer({
        description: 'The security profile that the handshake of its last connection satisfied',
      }),
    ),
    serialNumbers: nullable(Type.Array(Type.String())),
    certificateFingerprint: nullable(Type.String({ description: 'SHA-256 of its last client certificate' })),
    userName: nullable(Type.String({ description: 'Its Basic user name if that is not its id' })),
    assumedSubprotocol: nullable(oneOf(['ocpp1.6'] as const, 'Used if its handshake offers no subprotocol')),
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
        description: 'When it accepted a Reset that no BootNotification has followed yet',
      }),
    ),
    connectors: Type.Array(Connector),
    rejected: Type.Array(Rejection, {
      description: 'Handshakes rejected since the station was last changed',
    }),
  },
  { title: 'Station', description: 'The station' },
);
