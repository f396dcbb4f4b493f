import type { Action } from '@evander/ocpp';

/** What Evander stores for an action, and where the API shows it (paths under /api/v1). */
export interface Stored {
  stores: string;
  at: string[];
}

const STATION = '/stations/{stationId}';
const TRANSACTION = ['/transactions', '/transactions/{transactionId}'];
const METER_VALUES = [`${STATION}/meter-values`, '/transactions/{transactionId}/meter-values'];
const JOBS = [`${STATION}/jobs`, '/jobs/{jobId}'];
const COMMAND = ['/commands/{commandId}'];

/** In addition, every frame is at /stations/{stationId}/messages and every command at /commands. */
export const STORED: Record<Action, Stored> = {
  Authorize: { stores: 'each attempt with its result', at: [`${STATION}/messages`] },
  BootNotification: {
    stores:
      'what the station reports about itself, and its registration; ends a pending reset and pending configuration',
    at: [STATION],
  },
  ChangeAvailability: {
    stores: 'request and answer, next to the reported status',
    at: [STATION],
  },
  ChangeConfiguration: {
    stores:
      'the value if accepted, or pending until the reboot; a new AuthorizationKey replaces the password',
    at: [`${STATION}/configuration`],
  },
  ClearCache: { stores: 'the answer', at: COMMAND },
  DataTransfer: { stores: 'request and answer, either way', at: [`${STATION}/messages`, ...COMMAND] },
  GetConfiguration: {
    stores: 'all keys with value and access; unknown ones are dropped',
    at: [`${STATION}/configuration`],
  },
  Heartbeat: { stores: 'when the station was last seen', at: [STATION] },
  MeterValues: {
    stores: 'every sample once, with all its qualifiers; the energy of its transaction so far',
    at: METER_VALUES,
  },
  RemoteStartTransaction: {
    stores: 'which transaction it started, and the profile that came with it',
    at: [...TRANSACTION, `${STATION}/charging-profiles`],
  },
  RemoteStopTransaction: { stores: 'the answer; the transaction ends with its StopTransaction', at: COMMAND },
  Reset: { stores: 'that a boot is expected, until it arrives', at: [STATION] },
  StartTransaction: {
    stores:
      'the transaction, once for all repeats; uses a reservation; an open transaction on its connector becomes lost',
    at: TRANSACTION,
  },
  StatusNotification: {
    stores: 'the status of each connector with its history; may end reservations',
    at: [STATION, `${STATION}/connectors/{connectorId}/statuses`],
  },
  StopTransaction: {
    stores: 'the end and its meter values, or an unmatched stop; deletes TxProfiles',
    at: [...TRANSACTION, '/unmatched-stops'],
  },
  UnlockConnector: { stores: 'the answer', at: COMMAND },
  DiagnosticsStatusNotification: { stores: 'the state of the job', at: JOBS },
  FirmwareStatusNotification: { stores: 'the state of the job', at: JOBS },
  GetDiagnostics: { stores: 'a job with its file name and outcome', at: JOBS },
  UpdateFirmware: { stores: 'a job with the version before and after', at: JOBS },
  GetLocalListVersion: {
    stores: 'the version, and whether the station supports lists',
    at: [`${STATION}/local-list`],
  },
  SendLocalList: {
    stores: 'version and entries as accepted; whether a Full list is needed',
    at: [`${STATION}/local-list`, `${STATION}/local-list/entries`],
  },
  CancelReservation: { stores: 'the end of the reservation', at: [`${STATION}/reservations`] },
  ReserveNow: {
    stores: 'the reservation: active, used, cancelled, expired, lost or refused',
    at: [`${STATION}/reservations`],
  },
  ClearChargingProfile: {
    stores: 'deletes exactly the profiles that match the filter',
    at: [`${STATION}/charging-profiles`],
  },
  GetCompositeSchedule: {
    stores: 'the last schedule per connector and unit, compared with the profiles',
    at: [`${STATION}/connectors/{connectorId}/composite-schedule`],
  },
  SetChargingProfile: {
    stores: 'the profile, instead of those that it replaces; the outcome of a template',
    at: [`${STATION}/charging-profiles`, '/charging-profile-templates/{templateId}/applications'],
  },
  TriggerMessage: {
    stores: 'the answer; the triggered message is accepted while the station is Pending',
    at: COMMAND,
  },
  CertificateSigned: {
    stores: 'the outcome of the certificate request',
    at: [`${STATION}/certificate-requests`],
  },
  DeleteCertificate: { stores: 'deletes the certificate', at: [`${STATION}/certificates`] },
  ExtendedTriggerMessage: {
    stores: 'the answer; the triggered message is accepted while the station is Pending',
    at: COMMAND,
  },
  GetInstalledCertificateIds: { stores: 'the certificates of that type', at: [`${STATION}/certificates`] },
  GetLog: { stores: 'a job by its requestId; a cancelled one is closed', at: JOBS },
  InstallCertificate: { stores: 'the certificate, if accepted', at: [`${STATION}/certificates`] },
  LogStatusNotification: { stores: 'the state of the job', at: JOBS },
  SecurityEventNotification: { stores: 'the event, once for all repeats', at: ['/security-events'] },
  SignCertificate: { stores: 'the CSR and the decision', at: [`${STATION}/certificate-requests`] },
  SignedFirmwareStatusNotification: { stores: 'the state of the job', at: JOBS },
  SignedUpdateFirmware: { stores: 'a job by its requestId; a cancelled one is closed', at: JOBS },
};
