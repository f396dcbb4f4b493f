import { isAction, type Requests } from '@evander/ocpp';
import type { ScriptedAnswer } from '../faults/answers.ts';
import type { ConnectorError } from './connector-status.ts';

/** Behaviour of real stations that can be enabled; the numbers are those of the list of field quirks. */
export type Quirks = {
  /** 1: the password after ChangeConfiguration is the hex text of AuthorizationKey, not its bytes. */
  hexTextAsPassword?: boolean;
  /** 1: a change of AuthorizationKey is answered with RebootRequired and takes effect after the next reset. */
  passwordAfterReset?: boolean;
  /** 2: every StopTransaction is followed immediately by a second one; one of the two has a reason. */
  doubleStop?: boolean;
  /** 3: HeartbeatInterval accepts any text; a non-numeric one causes 230 heartbeats a second. */
  heartbeatStorm?: boolean;
  /** 4: until the first boot answer the clock shows 1970, also in meter values. */
  clockOf1970?: boolean;
  /**
   * 5: on Reset, disconnects without an answer; boots on the same socket before the answer; closes with 1005 and reconnects immediately; or
   * accepts it and does nothing.
   */
  reset?: 'closeWithoutAnswer' | 'bootBeforeAnswer' | 'close1005' | 'neverReboots';
  /** 6: how an unknown action is answered. A plain Rejected is `{ response: { status: 'Rejected' } }`. */
  unknownActions?: ScriptedAnswer;
  /** 6: actions of OCPP 1.6 that the station does not know. Without unknownActions: NotImplemented. */
  unknownTo?: readonly (keyof Requests)[];
  /** 7: an invented action, sent after an accepted trigger, e.g. CustomOperation. */
  inventedAction?: string;
  /** 8: supports charging profiles only in W; one in A is rejected, together with the remote start that contains it. */
  wattsOnly?: boolean;
  /** 9: CertificateSigned is rejected unless its chain contains the issuing CA. */
  chainMustHoldCa?: boolean;
  /** 9: CertificateSigned is rejected unless the issuing CA was installed before. */
  caMustBeInstalled?: boolean;
  /** 9: the connection drops as soon as CertificateSigned is accepted. */
  dropAfterCertificateSigned?: boolean;
  /** 9: a certificate installed under two types is listed only under the first. */
  listCertificatesOnce?: boolean;
  /** 10: supports only FTP, or only HTTP, for files; any other location fails. */
  fileTransfer?: 'FTP' | 'HTTP';
  /** 10: the name of an uploaded file is appended to the URL's path without a slash. */
  glueFileName?: boolean;
  /** 11: the answer to ReserveNow on connector 0. */
  reserveZero?: 'Accepted' | 'Rejected' | 'Unavailable';
  /** 11: ChangeAvailability during a transaction is Accepted instead of Scheduled; or the connector becomes Unavailable immediately. */
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
  /** A StartTransaction is sent only once: if its answer is lost, later messages of the session have transactionId −1 (errata §3.18). */
  startSentOnce?: boolean;
  /** 12: the csr of SignCertificate is the base64 of its DER instead of PEM. */
  csrWithoutPem?: boolean;
  /** 13: permessage-deflate is offered. */
  compression?: boolean;
  /** 13: the offered subprotocols instead of only ocpp1.6. */
  subprotocols?: readonly string[];
  /** 13: sends WebSocket pings regardless of WebSocketPingInterval. */
  pingEverySeconds?: number;
  /** 13: the user name of Basic authentication instead of the station's id. */
  userName?: string;
  /** The station's id comes after two slashes. */
  doubleSlash?: boolean;
  /** WebSocket pings of the CSMS are never answered. */
  noPongs?: boolean;
  /** Reports boolean configuration keys as 0 and 1. */
  numericBooleans?: boolean;
  /** Every StatusNotification has these fields, even without an error. */
  statusFiller?: ConnectorError;
  /** 14: the keys of every payload are in alphabetical order. */
  sortKeys?: boolean;
};

/** Quirk 6: the answer to an unknown action; undefined if the station knows the action. */
export function unknownAnswer(quirks: Quirks, action: string): ScriptedAnswer | undefined {
  const { unknownActions, unknownTo = [] } = quirks;
  if (isAction(action) && !unknownTo.includes(action)) return undefined;
  return unknownActions ?? { error: 'NotImplemented', description: `${action} is unknown here` };
}

/** The configuration keys of the quirks. */
export function quirkyKeys({ wattsOnly, fileTransfer }: Quirks): Record<string, string> {
  const protocols = { FTP: 'FTP', HTTP: 'HTTP,HTTPS' };
  return {
    ...(wattsOnly && { ChargingScheduleAllowedChargingRateUnit: 'Power' }),
    ...(fileTransfer && { SupportedFileTransferProtocols: protocols[fileTransfer] }),
  };
}

/** The payload with its keys in alphabetical order at every depth. */
export function withSortedKeys<T>(value: T): T {
  if (Array.isArray(value)) return value.map(withSortedKeys) as T;
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return Object.fromEntries(entries.map(([key, one]) => [key, withSortedKeys(one as unknown)])) as T;
}
