import { isAction, type Requests } from '@evander/ocpp';
import type { ScriptedAnswer } from '../faults/answers.ts';
import type { ConnectorError } from './connector-status.ts';

/** What real stations do, each on request; the numbers are those of the list of field quirks. */
export type Quirks = {
  /** 1: the password after ChangeConfiguration is the hex text of AuthorizationKey, not its bytes. */
  hexTextAsPassword?: boolean;
  /** 1: a change of AuthorizationKey is answered RebootRequired, and in force after the next reset. */
  passwordAfterReset?: boolean;
  /** 2: every StopTransaction is followed at once by a second one; one of the two has a reason. */
  doubleStop?: boolean;
  /** 3: HeartbeatInterval takes any text; what is no number makes 230 heartbeats a second. */
  heartbeatStorm?: boolean;
  /** 4: the clock stands at 1970, and meter values go out with that, until the first boot answer. */
  clockOf1970?: boolean;
  /**
   * 5: Reset closes without an answer; boots on the same socket before the answer; closes with 1005 and is back at once; or
   * is accepted and nothing happens.
   */
  reset?: 'closeWithoutAnswer' | 'bootBeforeAnswer' | 'close1005' | 'neverReboots';
  /** 6: how an unknown action is answered. A plain Rejected is `{ response: { status: 'Rejected' } }`. */
  unknownActions?: ScriptedAnswer;
  /** 6: actions of OCPP 1.6 that are unknown to the station as well. Without unknownActions: NotImplemented. */
  unknownTo?: readonly (keyof Requests)[];
  /** 7: an action that no specification has, sent after an accepted trigger, e.g. CustomOperation. */
  inventedAction?: string;
  /** 8: charging profiles in W only; one in A is rejected, and with it the remote start that carries it. */
  wattsOnly?: boolean;
  /** 9: CertificateSigned is rejected unless its chain holds the issuing CA. */
  chainMustHoldCa?: boolean;
  /** 9: CertificateSigned is rejected unless the issuing CA was installed before. */
  caMustBeInstalled?: boolean;
  /** 9: the link drops as soon as CertificateSigned is accepted. */
  dropAfterCertificateSigned?: boolean;
  /** 9: a certificate installed under two types is listed under the first of them only. */
  listCertificatesOnce?: boolean;
  /** 10: files go by FTP only, or by HTTP only; any other location fails. */
  fileTransfer?: 'FTP' | 'HTTP';
  /** 10: the name of an uploaded file is glued to the path of the URL, without a slash. */
  glueFileName?: boolean;
  /** 11: the answer to ReserveNow on connector 0. */
  reserveZero?: 'Accepted' | 'Rejected' | 'Unavailable';
  /** 11: ChangeAvailability during a transaction is Accepted, not Scheduled; or the connector is Unavailable at once. */
  availabilityInTransaction?: 'Accepted' | 'UnavailableAtOnce';
  /** 12: StartTransaction comes before the status Preparing. */
  startBeforePreparing?: boolean;
  /** 12: statuses that are never sent, e.g. Preparing and Finishing. */
  missingStatuses?: readonly Requests['StatusNotification']['status'][];
  /** 12: no status for connector 0. */
  noConnectorZero?: boolean;
  /** 12: BootNotification has iccid and imsi, both empty. */
  emptyStrings?: boolean;
  /** 12: MeterValues during a transaction have no transactionId. */
  metersWithoutTransaction?: boolean;
  /** A StartTransaction is sent once: where its answer is lost, later messages of the session have transactionId −1 (errata §3.18). */
  startSentOnce?: boolean;
  /** 12: the csr of SignCertificate is base64 of its DER, and no PEM. */
  csrWithoutPem?: boolean;
  /** 13: permessage-deflate is offered. */
  compression?: boolean;
  /** 13: the subprotocols offered, in place of ocpp1.6 alone. */
  subprotocols?: readonly string[];
  /** 13: WebSocket pings, whatever WebSocketPingInterval says. */
  pingEverySeconds?: number;
  /** 13: the user name of Basic authentication, in place of the station's id. */
  userName?: string;
  /** The station's id comes after two slashes. */
  doubleSlash?: boolean;
  /** WebSocket pings of the CSMS are never answered. */
  noPongs?: boolean;
  /** Booleans of the configuration are told as 0 and 1. */
  numericBooleans?: boolean;
  /** Every StatusNotification has these fields, an error or not. */
  statusFiller?: ConnectorError;
  /** 14: the keys of every payload are in alphabetical order. */
  sortKeys?: boolean;
};

/** Quirk 6: how an action is answered that the station has never heard of; undefined when it knows the action. */
export function unknownAnswer(quirks: Quirks, action: string): ScriptedAnswer | undefined {
  const { unknownActions, unknownTo = [] } = quirks;
  if (isAction(action) && !unknownTo.includes(action)) return undefined;
  return unknownActions ?? { error: 'NotImplemented', description: `${action} is unknown here` };
}

/** The configuration keys that go with the quirks. */
export function quirkyKeys({ wattsOnly, fileTransfer }: Quirks): Record<string, string> {
  const protocols = { FTP: 'FTP', HTTP: 'HTTP,HTTPS' };
  return {
    ...(wattsOnly && { ChargingScheduleAllowedChargingRateUnit: 'Power' }),
    ...(fileTransfer && { SupportedFileTransferProtocols: protocols[fileTransfer] }),
  };
}

/** The same payload with its keys, at every depth, in alphabetical order. */
export function withSortedKeys<T>(value: T): T {
  if (Array.isArray(value)) return value.map(withSortedKeys) as T;
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return Object.fromEntries(entries.map(([key, one]) => [key, withSortedKeys(one as unknown)])) as T;
}
