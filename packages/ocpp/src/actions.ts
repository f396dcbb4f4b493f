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

/** Who may send a call: a charging station, or we, the manager. */
export type Sender = 'station' | 'manager';

export interface ActionEntry {
  readonly sender: Sender | 'both';
  readonly profile: Profile;
  /** A refusal loses data here (ERR.4) or has no meaning to the station: whatever is usable is taken. */
  readonly lenient?: true;
  /** A person waits for the answer and nothing is billed by it: better an error in time than an answer too late. */
  readonly failsFast?: true;
  /** Carries what is billed, and is never refused for a number that our columns cannot hold (DESIGN.md, invariant 3). */
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

/** Every action of OCPP 1.6 and its security extension. */
export const ACTIONS: { readonly [A in Action]: ActionEntry } = TABLE;

type SentBy<S extends Sender> = {
  [A in Action]: (typeof TABLE)[A]['sender'] extends S | 'both' ? A : never;
}[Action];

/** What stations send. */
export type StationAction = SentBy<'station'>;

/** What we send: commands. */
export type CommandAction = SentBy<'manager'>;

/** Names are case-sensitive (FRM.4); a name like `constructor` is not an action. */
export function isAction(name: string): name is Action {
  return Object.hasOwn(ACTIONS, name);
}

/** Is an error in time better than an answer too late? Not for what loses data or money by it. */
export function failsFast(action: string): boolean {
  return isAction(action) && ACTIONS[action].failsFast === true;
}

/** DataTransfer goes both ways, so it holds for either sender. */
export function mayBeSentBy(sender: 'station', action: Action): action is StationAction;
export function mayBeSentBy(sender: 'manager', action: Action): action is CommandAction;
export function mayBeSentBy(sender: Sender, action: Action): boolean {
  const allowed = ACTIONS[action].sender;
  return allowed === sender || allowed === 'both';
}
