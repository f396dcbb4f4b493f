import type { Action } from '@evander/ocpp';

/** What is kept of an action, and where the API shows it (paths under /api/v1). */
export interface Kept {
  keeps: string;
  at: string[];
}

const STATION = '/stations/{stationId}';
const TRANSACTION = ['/transactions', '/transactions/{transactionId}'];
const METER_VALUES = [`${STATION}/meter-values`, '/transactions/{transactionId}/meter-values'];
const JOBS = [`${STATION}/jobs`, '/jobs/{jobId}'];
const COMMAND = ['/commands/{commandId}'];

/** Besides what is here, every frame is at /stations/{stationId}/messages, and every command at /commands. */
export const KEPT: Record<Action, Kept> = {
  Authorize: { keeps: 'each attempt with its result', at: [`${STATION}/messages`] },
  BootNotification: {
    keeps:
      'what the station says of itself, its registration; ends a pending reset and pending configuration',
    at: [STATION],
  },
  ChangeAvailability: {
    keeps: 'what was asked and answered, beside the reported status',
    at: [STATION],
  },
  ChangeConfiguration: {
    keeps:
      'the value, when accepted, or pending until the reboot; a new AuthorizationKey replaces the password',
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
  Reset: { keeps: 'that a boot is expected, until it comes', at: [STATION] },
  StartTransaction: {
    keeps:
      'the transaction, once for all repeats; uses a reservation; what was open on its connector is lost',
    at: TRANSACTION,
  },
  StatusNotification: {
    keeps: 'the status of each connector with its history; may end reservations',
    at: [STATION, `${STATION}/connectors/{connectorId}/statuses`],
  },
  StopTransaction: {
    keeps: 'the end, its meter values, or an unmatched stop; TxProfiles go',
    at: [...TRANSACTION, '/unmatched-stops'],
  },
  UnlockConnector: { keeps: 'the answer', at: COMMAND },
  DiagnosticsStatusNotification: { keeps: 'the state of the job', at: JOBS },
  FirmwareStatusNotification: { keeps: 'the state of the job', at: JOBS },
  GetDiagnostics: { keeps: 'a job with its file name and outcome', at: JOBS },
  UpdateFirmware: { keeps: 'a job with the version before and after', at: JOBS },
  GetLocalListVersion: { keeps: 'the version, and whether there are lists', at: [`${STATION}/local-list`] },
  SendLocalList: {
    keeps: 'version and entries as accepted; whether a Full one is needed',
    at: [`${STATION}/local-list`, `${STATION}/local-list/entries`],
  },
  CancelReservation: { keeps: 'the end of the reservation', at: [`${STATION}/reservations`] },
  ReserveNow: {
    keeps: 'the reservation: active, used, cancelled, expired, lost or refused',
    at: [`${STATION}/reservations`],
  },
  ClearChargingProfile: {
    keeps: 'that exactly the profiles of the filter are gone',
    at: [`${STATION}/charging-profiles`],
  },
  GetCompositeSchedule: {
    keeps: 'the last schedule per connector and unit, compared with what the profiles give',
    at: [`${STATION}/connectors/{connectorId}/composite-schedule`],
  },
  SetChargingProfile: {
    keeps: 'the profile, in the place of those it replaces; the outcome of a template',
    at: [`${STATION}/charging-profiles`, '/charging-profile-templates/{templateId}/applications'],
  },
  TriggerMessage: { keeps: 'the answer; what it asks for is let in while Pending', at: COMMAND },
  CertificateSigned: {
    keeps: 'the fate of the certificate request',
    at: [`${STATION}/certificate-requests`],
  },
  DeleteCertificate: { keeps: 'that the certificate is gone', at: [`${STATION}/certificates`] },
  ExtendedTriggerMessage: { keeps: 'the answer; what it asks for is let in while Pending', at: COMMAND },
  GetInstalledCertificateIds: { keeps: 'the list of its type', at: [`${STATION}/certificates`] },
  GetLog: { keeps: 'a job by its requestId; a cancelled one is closed', at: JOBS },
  InstallCertificate: { keeps: 'the certificate, when accepted', at: [`${STATION}/certificates`] },
  LogStatusNotification: { keeps: 'the state of the job', at: JOBS },
  SecurityEventNotification: { keeps: 'the event, once for all repeats', at: ['/security-events'] },
  SignCertificate: { keeps: 'the CSR and what was decided', at: [`${STATION}/certificate-requests`] },
  SignedFirmwareStatusNotification: { keeps: 'the state of the job', at: JOBS },
  SignedUpdateFirmware: { keeps: 'a job by its requestId; a cancelled one is closed', at: JOBS },
};
