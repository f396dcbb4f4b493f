import type { Action } from '@evander/ocpp';

/** What is kept of an action, and where the API shows it (paths under /api/v1). */
export interface Stored {
  keeps: string;
  at: string[];
}

const STATION = '/stations/{stationId}';
const TRANSACTION = ['/transactions', '/transactions/{transactionId}'];
const METER_VALUES = [`${STATION}/meter-values`, '/transactions/{transactionId}/meter-values'];
const JOBS = [`${STATION}/jobs`, '/jobs/{jobId}'];
const COMMAND = ['/commands/{commandId}'];

/** Besides what is here, every frame is at /stations/{stationId}/messages, and every command at /commands. */
export const STORED: Record<Action, Stored> = {
  Authorize: { keeps: 'each attempt with its result', at: [`${STATION}/messages`] },
  BootNotification: {
    keeps:
      'what the station reports about itself, and its registration; ends a pending reset and pending configuration',
    at: [STATION],
  },
  ChangeAvailability: {
    keeps: 'request and answer, next to the reported status',
    at: [STATION],
  },
  ChangeConfiguration: {
    keeps: 'the value if accepted, or pending until the reboot; a new AuthorizationKey replaces the password',
    at: [`${STATION}/configuration`],
  },
  ClearCache: { keeps: 'the answer', at: COMMAND },
  DataTransfer: { keeps: 'request and answer, either way', at: [`${STATION}/messages`, ...COMMAND] },
  GetConfiguration: {
    keeps: 'all keys with value and access; unknown ones are dropped',
    at: [`${STATION}/configuration`],
  },
  Heartbeat: { keeps: 'when the station was last seen', at: [STATION] },
  MeterValues: {
    keeps: 'every sample once, with all its qualifiers; the energy of its transaction so far',
    at: METER_VALUES,
  },
  RemoteStartTransaction: {
    keeps: 'which transaction it started, and the profile that came with it',
    at: [...TRANSACTION, `${STATION}/charging-profiles`],
  },
  RemoteStopTransaction: { keeps: 'the answer; the transaction ends with its StopTransaction', at: COMMAND },
  Reset: { keeps: 'that a boot is expected, until it arrives', at: [STATION] },
  StartTransaction: {
    keeps:
      'the transaction, once for all repeats; uses a reservation; an open transaction on its connector becomes lost',
    at: TRANSACTION,
  },
  StatusNotification: {
    keeps: 'the status of each connector with its history; may end reservations',
    at: [STATION, `${STATION}/connectors/{connectorId}/statuses`],
  },
  StopTransaction: {
    keeps: 'the end and its meter values, or an unmatched stop; deletes TxProfiles',
    at: [...TRANSACTION, '/unmatched-stops'],
  },
  UnlockConnector: { keeps: 'the answer', at: COMMAND },
  DiagnosticsStatusNotification: { keeps: 'the state of the job', at: JOBS },
  FirmwareStatusNotification: { keeps: 'the state of the job', at: JOBS },
  GetDiagnostics: { keeps: 'a job with its file name and outcome', at: JOBS },
  UpdateFirmware: { keeps: 'a job with the version before and after', at: JOBS },
  GetLocalListVersion: {
    keeps: 'the version, and whether the station supports lists',
    at: [`${STATION}/local-list`],
  },
  SendLocalList: {
    keeps: 'version and entries as accepted; whether a Full list is needed',
    at: [`${STATION}/local-list`, `${STATION}/local-list/entries`],
  },
  CancelReservation: { keeps: 'the end of the reservation', at: [`${STATION}/reservations`] },
  ReserveNow: {
    keeps: 'the reservation: active, used, cancelled, expired, lost or refused',
    at: [`${STATION}/reservations`],
  },
  ClearChargingProfile: {
    keeps: 'deletes exactly the profiles that match the filter',
    at: [`${STATION}/charging-profiles`],
  },
  GetCompositeSchedule: {
    keeps: 'the last schedule per connector and unit, compared with the profiles',
    at: [`${STATION}/connectors/{connectorId}/composite-schedule`],
  },
  SetChargingProfile: {
    keeps: 'the profile, instead of those that it replaces; the outcome of a template',
    at: [`${STATION}/charging-profiles`, '/charging-profile-templates/{templateId}/applications'],
  },
  TriggerMessage: {
    keeps: 'the answer; the triggered message is accepted while the station is Pending',
    at: COMMAND,
  },
  CertificateSigned: {
    keeps: 'the outcome of the certificate request',
    at: [`${STATION}/certificate-requests`],
  },
  DeleteCertificate: { keeps: 'deletes the certificate', at: [`${STATION}/certificates`] },
  ExtendedTriggerMessage: {
    keeps: 'the answer; the triggered message is accepted while the station is Pending',
    at: COMMAND,
  },
  GetInstalledCertificateIds: { keeps: 'the certificates of that type', at: [`${STATION}/certificates`] },
  GetLog: { keeps: 'a job by its requestId; a cancelled one is closed', at: JOBS },
  InstallCertificate: { keeps: 'the certificate, if accepted', at: [`${STATION}/certificates`] },
  LogStatusNotification: { keeps: 'the state of the job', at: JOBS },
  SecurityEventNotification: { keeps: 'the event, once for all repeats', at: ['/security-events'] },
  SignCertificate: { keeps: 'the CSR and the decision', at: [`${STATION}/certificate-requests`] },
  SignedFirmwareStatusNotification: { keeps: 'the state of the job', at: JOBS },
  SignedUpdateFirmware: { keeps: 'a job by its requestId; a cancelled one is closed', at: JOBS },
};
