import type { Schema, Schemas } from '../http/json-schema.ts';

const PEM = '-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUQ…\n-----END CERTIFICATE-----\n';
const CSR = '-----BEGIN CERTIFICATE REQUEST-----\nMIIBAjCBqQIBADBH…\n-----END CERTIFICATE REQUEST-----\n';
const UUID = '5b0a6c5e-2d4b-4c1f-9d6f-0a1b2c3d4e5f';
const DIGEST = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';
const TIME = '2026-11-20T10:00:00.000Z';
const PROFILE = {
  chargingProfileId: 7,
  stackLevel: 0,
  chargingProfilePurpose: 'TxProfile',
  chargingProfileKind: 'Relative',
  chargingSchedule: { chargingRateUnit: 'A', chargingSchedulePeriod: [{ startPeriod: 0, limit: 16 }] },
};

/** Example values by field name, for schemas without an example. */
const VALUES: Record<string, unknown> = {
  // Stations
  stationId: 'CP1',
  stationIds: 'CP1',
  connectorId: 1,
  vendor: 'ABB',
  model: 'Terra AC W22',
  prefix: 'CP',
  chargePointSerialNumber: 'TACW22-4-1123-T0001',
  chargeBoxSerialNumber: 'CB-0001',
  serialNumbers: 'TACW22-4-1123-T0001',
  firmwareVersion: '1.8.32',
  firmwareVersionBefore: '1.8.21',
  firmwareVersionAfter: '1.8.32',
  iccid: '8949012345678901234',
  imsi: '262011234567890',
  meterType: 'Eastron SDM630',
  meterSerialNumber: '20204711',
  gatewayId: 'gateway-1',
  connectionId: '0001795997256327-gateway-1',
  remoteAddress: '192.0.2.7',
  securityProfile: 1,
  pendingSecurityProfile: 2,
  connectionSecurityProfile: 1,
  userName: 'CP1',
  password: 'a password of some length',
  info: 'cable unplugged',
  vendorId: 'com.example',
  vendorErrorCode: 'E21',
  errorCode: 'NoError',
  status: 'Accepted',
  answer: 'Accepted',
  count: 3,
  rank: 10,
  group: 'site-7',
  stations: 12,
  // Tags and transactions
  idTag: '04A2B3C4D5E680',
  tags: '04A2B3C4D5E680',
  parentIdTag: 'FLEET-7',
  parentIdTags: 'FLEET-7',
  stopIdTag: '04A2B3C4D5E680',
  idTagStatus: 'Accepted',
  concurrentTransactionLimit: 1,
  expiryDate: '2027-12-31T23:59:59.000Z',
  note: 'the blue van',
  transactionId: 1042,
  assignedTransactionId: 1042,
  unmatchedStopId: 17,
  reservationId: 5,
  remoteStartCommandId: UUID,
  meterStartWh: 1_203_400,
  meterStopWh: 1_215_900,
  energyWh: 12_500,
  stopReason: 'Local',
  flags: 'supersededByStart',
  closedBy: 'dispatch',
  resolvedBy: 'dispatch',
  resolutionReason: 'seen at the station',
  reason: 'seen at the station',
  context: 'Sample.Periodic',
  measurand: 'Energy.Active.Import.Register',
  phase: 'L1',
  format: 'Raw',
  unit: 'Wh',
  value: '1215900',
  // Commands and messages
  commandId: UUID,
  action: 'Reset',
  request: { type: 'Soft' },
  response: { status: 'Accepted' },
  payload: { type: 'Soft' },
  code: 'NotSupported',
  description: 'the station does not do this',
  errorDescription: 'the station does not do this',
  details: {},
  hint: 'the station may accept only signed firmware; send SignedUpdateFirmware',
  requestedBy: 'dispatch',
  createdBy: 'dispatch',
  uploadedBy: 'dispatch',
  messageId: 'msg-1',
  raw: '{"not":"a frame"}',
  data: 'anything',
  key: 'MeterValueSampleInterval',
  rule: 'SetProfile.1',
  ttlSeconds: 0,
  listVersion: 4,
  version: 4,
  lastStatus: 'Accepted',
  lastUpdateType: 'Differential',
  doing: 'waits for the station to connect',
  requestId: 12,
  detail: 'the station has not answered yet',
  // Smart charging
  chargingProfileId: 7,
  chargingProfile: PROFILE,
  csChargingProfiles: { ...PROFILE, chargingProfilePurpose: 'TxDefaultProfile' },
  chargingSchedule: PROFILE.chargingSchedule,
  chargingRateUnit: 'A',
  purpose: 'TxDefaultProfile',
  stackLevel: 0,
  duration: 3600,
  durationSeconds: 3600,
  startPeriod: 0,
  limit: 16,
  expectedLimit: 16,
  toldLimit: 10,
  numberPhases: 3,
  minChargingRate: 6,
  voltage: 230,
  phases: 3,
  templateId: UUID,
  applicationId: 21,
  // Files, jobs and campaigns
  fileId: UUID,
  rollbackFileId: UUID,
  campaignId: UUID,
  jobId: 33,
  name: 'winter-2026',
  fileName: 'CP1-diagnostics.zip',
  location: 'https://files.example.com/CP1',
  remoteLocation: 'https://files.example.com/CP1',
  logType: 'DiagnosticsLog',
  sizeBytes: 4_194_304,
  sha256: DIGEST,
  retries: 3,
  retryInterval: 60,
  waves: 3,
  wave: 1,
  currentWave: 1,
  size: 50,
  percent: 10,
  maxFailures: 5,
  maxFailurePercent: 10,
  progressTimeoutSeconds: 3600,
  absenceTimeoutSeconds: 86_400,
  updateState: 'installed',
  updateReason: 'InstallationFailed',
  attempts: 1,
  // Certificates
  certificate: PEM,
  certificateChain: PEM,
  signingCertificate: PEM,
  rootCertificate: PEM,
  pem: PEM,
  csr: CSR,
  signature: 'MEUCIQDx0b3…',
  revocationList: '-----BEGIN X509 CRL-----\nMIIBKzCB0w…\n-----END X509 CRL-----\n',
  subject: 'CN=CP1,O=Example Operator',
  issuer: 'CN=Evander stations,O=Example Operator',
  organisations: 'Example Operator',
  serialNumber: '4a1f00c2',
  issuerNameHash: DIGEST,
  issuerKeyHash: DIGEST,
  fingerprint: DIGEST,
  certificateFingerprint: DIGEST,
  certificateId: 4,
  certificateRequestId: 9,
  pncRequestId: 2,
  certificateType: 'CentralSystemRootCertificate',
  certificateStatus: 'Accepted',
  emaid: 'DE8AA1A2B3C4D59',
  techInfo: 'login over the local port',
  // Events and webhooks
  id: 120_455,
  kind: 'station.connected',
  type: 'MemoryExhaustion',
  url: 'https://backend.example.com/evander',
  secret: 'evw_q0m3v…',
  inactiveReason: 'the receiver answered 410 Gone',
  lastError: 'the receiver answered 500',
  lastEventId: 120_455,
  ids: 0,
  seconds: 0,
  eventIds: 120_455,
  cause: 'the database is away',
};

/** Adds an example to every named schema without one. */
export function addExamples(named: Schemas): void {
  for (const schema of Object.values(named)) schema.examples ??= [exampleOf(schema, named)];
}

/** An example for a schema, from the usual values of its fields; undefined if they are unknown. */
function exampleOf(schema: Schema, named: Schemas, field = ''): unknown {
  const { $ref, examples, enum: values, anyOf, properties, items } = schema;
  if ($ref !== undefined) return exampleOf(named[$ref.split('/').at(-1) ?? ''] ?? {}, named, field);
  if (examples) return examples[0];
  if (values) return values.find((value) => value !== null);
  const [type, or] = [schema.type].flat();
  const usual = VALUES[field];
  if (usual !== undefined && fits(usual, type)) return usual;
  if (anyOf?.[0]) return exampleOf(anyOf[0], named, field);
  switch (type) {
    case 'object':
      return Object.fromEntries(
        Object.entries(properties ?? {})
          .map(([name, one]) => [name, exampleOf(one, named, name)])
          .filter(([, value]) => value !== undefined),
      );
    case 'array': {
      const item = items && exampleOf(items, named, field);
      return item === undefined ? [] : [item];
    }
    default: {
      const plain = schema.format === undefined ? PLAIN[type ?? ''] : FORMATS[schema.format];
      return schema.default ?? plain ?? (or === 'null' ? null : undefined);
    }
  }
}

const FORMATS: Record<string, unknown> = {
  'date-time': TIME,
  uuid: UUID,
  uri: 'https://files.example.com/CP1.bin',
};
const PLAIN: Record<string, unknown> = { boolean: true, integer: 1, number: 1 };

function fits(value: unknown, type: string | undefined): boolean {
  if (type === undefined) return true;
  return typeof value === (type === 'integer' ? 'number' : type);
}
