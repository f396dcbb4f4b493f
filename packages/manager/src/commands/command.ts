import type { CommandAction, Requests, Responses } from '@evander/ocpp';
import type { Log } from '@evander/process';
import type { Db } from '../database/database.ts';
import type { IdKind } from '../database/issued-ids.ts';
import type { RegistrationStatus } from '../stations/stations.store.ts';

/** What a command file has to go by, before a command is sent and when it is completed. */
export interface CommandContext {
  /** The database transaction that records the command, or its outcome: all of it is kept, or nothing. */
  db: Db;
  stationId: string;
  commandId: string;
  now: Date;
  /** What passwords of stations are hashed with. */
  passwordPepper: string;
  log: Log;
}

/** What is known of a station before a command is sent to it. */
export interface CheckContext extends CommandContext {
  /** What its last BootNotification was answered; null when it has sent none. */
  registrationStatus: RegistrationStatus | null;
}

/** A completed command's request, with the time when it was sent. */
export interface Sent<A extends CommandAction> {
  request: Requests[A];
  sentAt: Date;
}

/** Why a command will have no effect: the station's CALLERROR, or that it never went out. */
export interface Failure {
  status: 'failed' | 'expired';
  reason: string;
}

/** What stations say that do not know an action (OCPP 1.6 errata §3.38 and field-quirks 6). */
const UNKNOWN_ACTION = ['NotSupported', 'NotImplemented'];

/** Does the code of a CALLERROR say that the station does not know the action? */
export function isUnknownAction(errorCode: string | null | undefined): boolean {
  return UNKNOWN_ACTION.includes(errorCode ?? '');
}

/** What Evander does around one action that it sends: a file each, all of it optional. */
export interface Command<A extends CommandAction> {
  /** Ids that are ours to give (G.12), by their path in the request: filled in where the request leaves them out. */
  ids?: Partial<Record<string, IdKind>>;
  /** Doing it twice is doing it once: it may go out again on a new connection when the old one was lost before its answer. */
  repeatable?: true;
  /** What no schema tells: throws RuleViolation. Nothing is recorded or sent then. */
  check?(request: Requests[A], context: CheckContext): Promise<void> | void;
  /** Runs as the command is recorded: for what the station may report of it before it answers. */
  onRequest?(request: Requests[A], context: CommandContext): Promise<void>;
  /** What an answer means, once per command. Its enumerations may hold a word that OCPP does not know. */
  onAnswer?(response: Responses[A], sent: Sent<A>, context: CommandContext): Promise<void>;
  /** Runs when it is certain that the station did nothing. A command that timed out may still be answered. */
  onFailure?(failure: Failure, request: Requests[A], context: CommandContext): Promise<void>;
  /** What a station that does not know the action is sent instead; undefined for nothing. */
  instead?(request: Requests[A], context: CommandContext): Promise<Instead | undefined>;
}

/** A command in the place of another. */
export interface Instead {
  action: CommandAction;
  request: object;
  /** Runs in the database transaction that records it, and the failure of the other. */
  alongside(db: Db, commandId: string): Promise<void>;
}

/** A rule of OCPP that a command would break, by its name in the specification or in docs/ocpp16.md. */
export class RuleViolation extends Error {
  override name = 'RuleViolation';
  readonly rule: string;

  constructor(rule: string, message: string) {
    super(message);
    this.rule = rule;
  }
}

/** Why a command was not taken. */
export class CommandNotSent extends Error {
  override name = 'CommandNotSent';
  readonly why: 'unknownStation' | 'notConnected' | 'tooMany';

  constructor(why: CommandNotSent['why'], message: string) {
    super(message);
    this.why = why;
  }
}
