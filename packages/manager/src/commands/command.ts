import type { CommandAction, Requests, Responses } from '@evander/ocpp';
import type { Log } from '@evander/process';
import type { Db } from '../database/database.ts';
import type { IdKind } from '../database/issued-ids.ts';
import type { RegistrationStatus } from '../stations/stations.store.ts';

/** The context of a command file's functions, before a command is sent and when it is completed. */
export interface CommandContext {
  /** The database transaction that records the command or its outcome: all changes are committed, or none. */
  db: Db;
  stationId: string;
  commandId: string;
  now: Date;
  /** The pepper with which station passwords are hashed. */
  passwordPepper: string;
  log: Log;
}

/** The context of checks before a command is sent. */
export interface CheckContext extends CommandContext {
  /** The status in the reply to its last BootNotification; null if it has sent none. */
  registrationStatus: RegistrationStatus | null;
}

/** A completed command's request and the time at which it was sent. */
export interface Sent<A extends CommandAction> {
  request: Requests[A];
  sentAt: Date;
}

/** Why a command has no effect: the station answered with a CALLERROR, or the command was never sent. */
export interface Failure {
  status: 'failed' | 'expired';
  reason: string;
}

/** The error codes of stations that do not know an action (OCPP 1.6 errata §3.38 and field-quirks 6). */
const UNKNOWN_ACTION_CODES = ['NotSupported', 'NotImplemented'];

/** Whether a CALLERROR's code means that the station does not know the action. */
export function isUnknownAction(errorCode: string | null | undefined): boolean {
  return UNKNOWN_ACTION_CODES.includes(errorCode ?? '');
}

/** A command file: the handlers of one action that Evander sends, all optional. */
export interface Command<A extends CommandAction> {
  /** Ids that the CSMS assigns (G.12), by their path in the request. Filled in if the request omits them. */
  ids?: Partial<Record<string, IdKind>>;
  /** The command is idempotent: it may be sent again on a new connection if the old one was lost before the answer. */
  repeatable?: true;
  /** Checks rules that the schema does not cover. Throws RuleViolation; then nothing is recorded or sent. */
  check?(request: Requests[A], context: CheckContext): Promise<void> | void;
  /** Runs when the command is recorded, to prepare for what the station may report before it answers. */
  onRequest?(request: Requests[A], context: CommandContext): Promise<void>;
  /** Applies an answer, once per command. Its enumerations may hold values that OCPP does not know. */
  onAnswer?(response: Responses[A], sent: Sent<A>, context: CommandContext): Promise<void>;
  /** Runs once it is certain that the station did nothing; so not after a timeout, as a late answer may come. */
  onFailure?(failure: Failure, request: Requests[A], context: CommandContext): Promise<void>;
  /** The command to send instead to a station that does not know the action; undefined for none. */
  instead?(request: Requests[A], context: CommandContext): Promise<Instead | undefined>;
}

/** A command that replaces another. */
export interface Instead {
  action: CommandAction;
  request: object;
  /** Runs in the database transaction that records this command and the failure of the other. */
  alongside(db: Db, commandId: string): Promise<void>;
}

/** A command would violate a rule of OCPP. `rule` is its name in the specification or in docs/ocpp16.md. */
export class RuleViolation extends Error {
  override name = 'RuleViolation';
  readonly rule: string;

  constructor(rule: string, message: string) {
    super(message);
    this.rule = rule;
  }
}

/** A command was refused before it was recorded. */
export class CommandNotSent extends Error {
  override name = 'CommandNotSent';
  readonly why: 'unknownStation' | 'notConnected' | 'tooMany';

  constructor(why: CommandNotSent['why'], message: string) {
    super(message);
    this.why = why;
  }
}
