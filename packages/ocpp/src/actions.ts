import type { Requests } from './payloads.gen.ts';

export type Action = keyof Requests;

export type Profile =
  | 'Core'
  | 'FirmwareManagement'
  | 'LocalAuthListManagement'
  | 'Reservation'
  | 'SmartCharging'
  | 'RemoteTrigger'
  | 'Security';

/** The sender of a call: a charging station or a manager. */
export type Sender = 'station' | 'manager';

export interface ActionEntry {
  readonly sender: Sender | 'both';
  readonly profile: Profile;
  /** Rejecting this message would lose data (ERR.4) or mean nothing to the station: all usable parts are accepted. */
  readonly lenient?: true;
  /** A driver waits for the answer and it does not affect billing: an error in time is better than a late answer. */
  readonly failsFast?: true;
  /** Carries billing data; never rejected for a number that does not fit its database column (DESIGN.md, invariant 3). */
  readonly transaction?: true;
}

const TABLE = {
  Authorize: { sender: 'station', profile: 'Core', failsFast: true },
  BootNotification: { sender: 'station', profile: 'Core', lenient: true, failsFast: true },
  ChangeAvailability: { sender: 'manager', profile: 'Core' },
  ChangeConfiguration: { sender: 'manager', profile: 'Core' },
  ClearCache: { sender: 'manager', profile: 'Core' },
  DataTransfer: { sender: 'both', profile: 'Core', failsFast: true },
  GetConfiguration: { sender: 'manager', profile: 'Core' },
  Heartbeat: { sender: 'station', profile: 'Core' },
  MeterValues: { sender: 'station', profile: 'Core', lenient: true, transaction: true },
  RemoteStartTransaction: { sender: 'manager', profile: 'Core' },
  RemoteStopTransaction: { sender: 'manager', profile: 'Core' },
  Reset: { sender: 'manager', profile: 'Core' },
  StartTransaction: { sender: 'station', profile: 'Core', lenient: true, transaction: true },
  StatusNotification: { sender: 'station', profile: 'Core', lenient: true },
  StopTransaction: { sender: 'station', profile: 'Core', lenient: true, transaction: true },
  UnlockConnector: { sender: 'manager', profile: 'Core' },

  DiagnosticsStatusNotification: { sender: 'station', profile: 'FirmwareManagement', lenient: true },
  FirmwareStatusNotification: { sender: 'station', profile: 'FirmwareManagement', lenient: true },
  GetDiagnostics: { sender: 'manager', profile: 'FirmwareManagement' },
  UpdateFirmware: { sender: 'manager', profile: 'FirmwareManagement' },

  GetLocalListVersion: { sender: 'manager', profile: 'LocalAuthListManagement' },
  SendLocalList: { sender: 'manager', profile: 'LocalAuthListManagement' },

  CancelReservation: { sender: 'manager', profile: 'Reservation' },
  ReserveNow: { sender: 'manager', profile: 'Reservation' },

  ClearChargingProfile: { sender: 'manager', profile: 'SmartCharging' },
  GetCompositeSchedule: { sender: 'manager', profile: 'SmartCharging' },
  SetChargingProfile: { sender: 'manager', profile: 'SmartCharging' },

  TriggerMessage: { sender: 'manager', profile: 'RemoteTrigger' },

  CertificateSigned: { sender: 'manager', profile: 'Security' },
  DeleteCertificate: { sender: 'manager', profile: 'Security' },
  ExtendedTriggerMessage: { sender: 'manager', profile: 'Security' },
  GetInstalledCertificateIds: { sender: 'manager', profile: 'Security' },
  GetLog: { sender: 'manager', profile: 'Security' },
  InstallCertificate: { sender: 'manager', profile: 'Security' },
  LogStatusNotification: { sender: 'station', profile: 'Security', lenient: true },
  SecurityEventNotification: { sender: 'station', profile: 'Security', lenient: true },
  SignCertificate: { sender: 'station', profile: 'Security', lenient: true },
  SignedFirmwareStatusNotification: { sender: 'station', profile: 'Security', lenient: true },
  SignedUpdateFirmware: { sender: 'manager', profile: 'Security' },
} as const satisfies { readonly [A in Action]: ActionEntry };

/** All actions of OCPP 1.6 and its security extension. */
export const ACTIONS: { readonly [A in Action]: ActionEntry } = TABLE;

type SentBy<S extends Sender> = {
  [A in Action]: (typeof TABLE)[A]['sender'] extends S | 'both' ? A : never;
}[Action];

/** Actions that stations send. */
export type StationAction = SentBy<'station'>;

/** Commands: actions that managers send. */
export type CommandAction = SentBy<'manager'>;

/** Names are case-sensitive (FRM.4); a name like `constructor` is not an action. */
export function isAction(name: string): name is Action {
  return Object.hasOwn(ACTIONS, name);
}

/** Whether an error in time is better than a late answer. Not for messages that would lose data or money. */
export function failsFast(action: string): boolean {
  return isAction(action) && ACTIONS[action].failsFast === true;
}

/** DataTransfer is allowed for either sender. */
export function mayBeSentBy(sender: 'station', action: Action): action is StationAction;
export function mayBeSentBy(sender: 'manager', action: Action): action is CommandAction;
export function mayBeSentBy(sender: Sender, action: Action): boolean {
  const allowed = ACTIONS[action].sender;
  return allowed === sender || allowed === 'both';
}
