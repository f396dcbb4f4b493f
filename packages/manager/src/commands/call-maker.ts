import type { ErrorEnvelope, ResultEnvelope } from '@evander/broker';
import { checkPayload, SCHEMAS } from '@evander/ocpp';
import type { CommandAction } from '@evander/ocpp';
import { Redaction } from '@evander/process';
import { randomUUID } from 'node:crypto';
import type { Db } from '../database/database.ts';
import { traced } from '../observability/tracing.ts';
import * as connections from '../stations/connections.store.ts';
import * as stations from '../stations/stations.store.ts';
import * as commandList from './command-list.store.ts';
import type { CommandRow } from './command-list.store.ts';
import { CommandNotSent } from './command.ts';
import type { CheckContext, Command } from './command.ts';
import * as commands from './commands.store.ts';
import { checkEveryCommand } from './common-rules.ts';
import { Completion } from './completion.ts';
import { Dispatcher } from './dispatcher.ts';
import { fillIn, openSchema } from './fill-in.ts';
import type { CallMakerOptions } from './options.ts';
import { keepRequest } from './request.ts';
import { Waiting } from './waiting.ts';

const SWEEP_MS = 1000;
/** The news that a command is completed may get lost between managers: whoever waits looks again so often. */
const LOOK_AGAIN_MS = 2000;
/** A command for a station that is there waits for its turn at least so long, should the station be away for a moment. */
const PATIENCE_MS = 60_000;
const MAX_OPEN = 100;
/**
 * Gateways publish an answer that was not acknowledged again every 15 s or so: a manager that was away, or without its broker or
 * database, gives up nothing that was sent before, until it has had the chance to get the answer.
 */
const CATCH_UP_MS = 20_000;

export interface CommandRequest {
  stationId: string;
  action: CommandAction;
  request: object;
  /** How long it waits for a station that is not connected; 0 to refuse it then. */
  ttlSeconds?: number;
  /** Sends what a station should refuse, for certification: the schema still holds, the rules do not. */
  skipRules?: boolean;
  requestedBy?: string;
  /** Runs in the database transaction that records the command; when it rejects, there is none. */
  alongside?(db: Db, commandId: string): Promise<void>;
  /** The command's id where the caller has given it one already. A command that is recorded under it is not recorded again. */
  commandId?: string;
}

/** Makes our calls to stations: checked, recorded, published, completed. Any manager can go on with what another began. */
export class CallMaker {
  readonly #options: CallMakerOptions;
  readonly #dispatcher: Dispatcher;
  readonly #completion: Completion;
  readonly #redaction: Redaction;
  readonly #waiting = new Waiting();
  #timer: NodeJS.Timeout | undefined;
  #sweeping: Promise<void> = Promise.resolve();
  /** Unix time in ms since when answers have been able to come and to be stored. */
  #workingSinceMs = 0;

  constructor(options: CallMakerOptions) {
    this.#options = options;
    this.#redaction = new Redaction(options.hiddenDataTransfers);
    this.#dispatcher = new Dispatcher(options);
    this.#completion = new Completion(options, (db, call) => this.#add(db, randomUUID(), call));
  }

  /** The schema of a request as the API takes it: the ids that the CSMS assigns are optional. */
  requestSchema(action: CommandAction): object {
    return openSchema(SCHEMAS[action].request, this.#options.commands[action].ids);
  }

  /** From now on what waits too long is given up, and what got lost is sent again. */
  start(): void {
    this.#workingSinceMs = Date.now();
    this.#timer = setInterval(() => {
      this.#sweeping = this.#sweeping.then(() => this.sweep());
    }, SWEEP_MS);
  }

  /**
   * Records a command and sends it when its turn comes; its id. Throws OcppError for a request that breaks its schema, RuleViolation for
   * one that breaks a rule, and CommandNotSent when its station cannot be reached.
   */
  async request(call: CommandRequest): Promise<string> {
    return (await this.#record(call)).commandId;
  }

  /**
   * Records and sends a command as `request` does, and waits for its outcome; the command as it then stands. Once it is recorded this
   * never rejects: while the database is away, the command is what was last known of it.
   */
  async send(call: CommandRequest, waitMs: number): Promise<CommandRow> {
    const recorded = await this.#record(call);
    const { commandId, stationId } = recorded;
    try {
      return (await this.outcome(commandId, waitMs)) ?? recorded;
    } catch (error) {
      this.#options.log.warn({ stationId, commandId, err: error }, 'the outcome of a command is not known');
      return recorded;
    }
  }

  /** A command once it is completed, or as it is after so many milliseconds; undefined when there is none with this id. */
  async outcome(commandId: string, waitMs: number): Promise<CommandRow | undefined> {
    const untilMs = Date.now() + waitMs;
    for (;;) {
      const command = await commandList.get(this.#options.database, commandId);
      const leftMs = untilMs - Date.now();
      if (!command || isCompleted(command) || leftMs <= 0) return command;
      await this.#waiting.wait(commandId, Math.min(leftMs, LOOK_AGAIN_MS));
    }
  }

  /** Takes in a station's answer, and sends it the next command. Rejects when the answer could not be stored. */
  async onAnswer(stationId: string, answer: ResultEnvelope | ErrorEnvelope, at: Date): Promise<void> {
    await this.#completion.onAnswer(stationId, answer, at);
    this.#tell(stationId, answer.id);
    await this.#dispatcher.sendNext(stationId);
    this.#options.onCompleted?.(stationId);
  }

  /** An answer could not be stored. The gateway sends it again: until then nothing that was sent is given up. */
  onAnswerNotStored(): void {
    this.#workingSinceMs = Date.now();
  }

  /** A manager has completed a command. */
  onCompleted(commandId: string): void {
    this.#waiting.wake(commandId);
  }

  /** One round of what recurs; managers may do it at the same time. Never rejects. */
  async sweep(): Promise<void> {
    try {
      if (!this.#options.isBrokerConnected()) this.#workingSinceMs = Date.now();
      const hasCaughtUp = Date.now() - this.#workingSinceMs >= CATCH_UP_MS;
      const sentSince = new Date(hasCaughtUp ? 0 : this.#workingSinceMs);
      const completed = [...(await this.#completion.giveUp(sentSince)), ...(await this.#completion.expire())];
      for (const { stationId, commandId } of completed) {
        this.#tell(stationId, commandId);
        this.#options.onCompleted?.(stationId);
      }
      await this.#dispatcher.sendAgain();
      await this.#dispatcher.sendWaiting();
    } catch (error) {
      this.#workingSinceMs = Date.now();
      this.#options.log.warn({ err: error }, 'commands could not be looked after');
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#waiting.close();
    await this.#sweeping;
  }

  #tell(stationId: string, commandId: string): void {
    this.#waiting.wake(commandId);
    this.#options.complete(stationId, commandId);
  }

  async #record(call: CommandRequest): Promise<CommandRow> {
    const { database, log } = this.#options;
    const { stationId, action, commandId = randomUUID() } = call;
    const known = call.commandId === undefined ? undefined : await commandList.get(database, commandId);
    if (known) return known;
    const about = { name: action, 'ocpp.station.id': stationId, 'ocpp.message.id': commandId };
    return traced('producer', about, async () => {
      const recorded = await database
        .transaction((db) => this.#add(db, commandId, call))
        .catch(async (error: unknown) => {
          // A repeat of the request has recorded it in the same moment.
          const isRepeat = (error as { constraint?: unknown }).constraint === 'commands_pkey';
          const command = isRepeat ? await commandList.get(database, commandId) : undefined;
          if (!command) throw error;
          return command;
        });
      // It is recorded, so it goes out with the next round.
      await this.#dispatcher.sendNext(stationId).catch((error: unknown) => {
        log.warn({ stationId, commandId, action, err: error }, 'a command could not be sent at once');
      });
      return recorded;
    });
  }

  async #add(db: Db, commandId: string, call: CommandRequest): Promise<CommandRow> {
    const { now, sealer, passwordPepper, log } = this.#options;
    const { stationId, action, ttlSeconds = 0 } = call;
    const station = await stations.find(db, stationId);
    if (!station) throw new CommandNotSent('unknownStation', `station ${stationId} is not known`);
    const file = this.#options.commands[action] as Command<CommandAction>;
    const request = await fillIn(db, stationId, { request: { ...call.request }, ids: file.ids });
    checkPayload(action, 'request', request);
    const at = now();
    const { registrationStatus } = station;
    const context: CheckContext = {
      db,
      stationId,
      commandId,
      now: at,
      passwordPepper,
      log,
      registrationStatus,
    };
    if (call.skipRules !== true) {
      await checkEveryCommand(action, context);
      await file.check?.(request, context);
    }
    await this.#refuseUnsendable(db, stationId, ttlSeconds);
    await commands.add(db, {
      commandId,
      stationId,
      action,
      ...keepRequest(action, request, { sealer, redaction: this.#redaction }),
      requestedBy: call.requestedBy ?? null,
      createdAt: at,
      expiresAt: new Date(at.getTime() + (ttlSeconds > 0 ? ttlSeconds * 1000 : PATIENCE_MS)),
    });
    await file.onRequest?.(request, context);
    await call.alongside?.(db, commandId);
    const recorded = await commandList.get(db, commandId);
    if (!recorded) throw new Error(`command ${commandId} was recorded and is not there`);
    return recorded;
  }

  async #refuseUnsendable(db: Db, stationId: string, ttlSeconds: number): Promise<void> {
    if (ttlSeconds === 0 && !(await connections.isConnected(db, stationId)))
      throw new CommandNotSent(
        'notConnected',
        `station ${stationId} is not connected; try again later, or send ttlSeconds to let the command wait for it`,
      );
    if ((await commands.countOpen(db, stationId)) >= MAX_OPEN)
      throw new CommandNotSent(
        'tooMany',
        `station ${stationId} has ${MAX_OPEN} commands that wait for it; send more when they are completed`,
      );
  }
}

function isCompleted({ status }: CommandRow): boolean {
  return status !== 'queued' && status !== 'sent';
}
