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
import { storedRequest } from './request.ts';
import { Waiting } from './waiting.ts';

const POLL_INTERVAL_MS = 1000;
/** How often a waiting request polls: the notification that a command is completed may get lost between managers. */
const OUTCOME_POLL_MS = 2000;
/** Time to live of a command for a connected station, so that a short disconnection does not expire it. */
const DEFAULT_TTL_MS = 60_000;
const MAX_OPEN = 100;
/**
 * Gateways republish unacknowledged answers about every 15 s. A manager that was down, or without its broker or database, does not
 * give up commands that were sent before until it has had the chance to receive their answers.
 */
const CATCH_UP_MS = 20_000;

export interface CommandRequest {
  stationId: string;
  action: CommandAction;
  request: object;
  /** How long the command waits for a station that is not connected; 0: it is refused. */
  ttlSeconds?: number;
  /** Skips the rules but not the schema, for certification: sends commands that stations should refuse. */
  skipRules?: boolean;
  requestedBy?: string | null;
  /** Runs in the database transaction that records the command; if it rejects, no command is recorded. */
  alongside?(db: Db, commandId: string): Promise<void>;
  /** The command's id, if the caller has assigned one. A command that is already recorded under it is not recorded again. */
  commandId?: string;
}

/** Makes calls to stations: checks, records, publishes and completes them. Any manager can continue what another began. */
export class CallMaker {
  readonly #options: CallMakerOptions;
  readonly #dispatcher: Dispatcher;
  readonly #completion: Completion;
  readonly #redaction: Redaction;
  readonly #waiting = new Waiting();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  /** Since when answers could be received and stored without interruption, Unix time in ms. */
  #workingSinceMs = 0;

  constructor(options: CallMakerOptions) {
    this.#options = options;
    this.#redaction = new Redaction(options.hiddenDataTransfers);
    this.#dispatcher = new Dispatcher(options);
    this.#completion = new Completion(options, (db, call) => this.#add(db, randomUUID(), call));
  }

  /** The schema of a request as the API accepts it: ids that the CSMS assigns are optional. */
  requestSchema(action: CommandAction): object {
    return openSchema(SCHEMAS[action].request, this.#options.commands[action].ids);
  }

  /** Starts the periodic work: commands that wait too long are given up, lost ones are sent again. */
  start(): void {
    this.#workingSinceMs = Date.now();
    this.#timer = setInterval(() => {
      this.#running = this.#running.then(() => this.sweep());
    }, POLL_INTERVAL_MS);
  }

  /**
   * Records a command, sends it when its turn comes, and resolves with its id. Throws OcppError if the request violates its schema,
   * RuleViolation if it violates a rule, and CommandNotSent if its station cannot be reached.
   */
  async request(call: CommandRequest): Promise<string> {
    return (await this.#record(call)).commandId;
  }

  /**
   * Records and sends a command as `request` does, waits for its outcome, and resolves with the command. Never rejects once the command
   * is recorded: if the database is unavailable, it resolves with the last known state.
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

  /** A command as soon as it is completed, but at the latest after `waitMs`; undefined if there is none with this id. */
  async outcome(commandId: string, waitMs: number): Promise<CommandRow | undefined> {
    const untilMs = Date.now() + waitMs;
    for (;;) {
      const command = await commandList.get(this.#options.database, commandId);
      const leftMs = untilMs - Date.now();
      if (!command || isCompleted(command) || leftMs <= 0) return command;
      await this.#waiting.wait(commandId, Math.min(leftMs, OUTCOME_POLL_MS));
    }
  }

  /** Stores a station's answer, and sends the station its next command. Rejects if the answer could not be stored. */
  async onAnswer(stationId: string, answer: ResultEnvelope | ErrorEnvelope, at: Date): Promise<void> {
    await this.#completion.onAnswer(stationId, answer, at);
    this.#announce(stationId, answer.id, false);
    await this.#dispatcher.sendNext(stationId);
    this.#options.onCompleted?.(stationId);
  }

  /** To be called if an answer could not be stored. The gateway redelivers it; until then no sent command is given up. */
  onAnswerNotStored(): void {
    this.#workingSinceMs = Date.now();
  }

  /** To be called when any manager has completed a command. */
  onCompleted(commandId: string): void {
    this.#waiting.wake(commandId);
  }

  /** One round of the periodic work; several managers may do it concurrently. Never rejects. */
  async sweep(): Promise<void> {
    try {
      if (!this.#options.isBrokerConnected()) this.#workingSinceMs = Date.now();
      const hasCaughtUp = Date.now() - this.#workingSinceMs >= CATCH_UP_MS;
      const sentSince = new Date(hasCaughtUp ? 0 : this.#workingSinceMs);
      const completed = [...(await this.#completion.giveUp(sentSince)), ...(await this.#completion.expire())];
      for (const { stationId, commandId } of completed) {
        this.#announce(stationId, commandId, true);
        this.#options.onCompleted?.(stationId);
      }
      await this.#dispatcher.sendAgain();
      await this.#dispatcher.sendWaiting();
    } catch (error) {
      this.#workingSinceMs = Date.now();
      this.#options.log.warn({ err: error }, 'commands could not be processed');
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#waiting.close();
    await this.#running;
  }

  #announce(stationId: string, commandId: string, gaveUp: boolean): void {
    this.#waiting.wake(commandId);
    this.#options.complete(stationId, commandId, gaveUp);
  }

  async #record(call: CommandRequest): Promise<CommandRow> {
    const { database, log } = this.#options;
    const { stationId, action, commandId = randomUUID() } = call;
    const known = call.commandId === undefined ? undefined : await commandList.get(database, commandId);
    if (known) return known;
    const span = { name: action, 'ocpp.station.id': stationId, 'ocpp.message.id': commandId };
    return traced('producer', span, async () => {
      const recorded = await database
        .transaction((db) => this.#add(db, commandId, call))
        .catch(async (error: unknown) => {
          // A repeat of the request has just recorded it.
          const isRepeat = (error as { constraint?: unknown }).constraint === 'commands_pkey';
          const command = isRepeat ? await commandList.get(database, commandId) : undefined;
          if (!command) throw error;
          return command;
        });
      // The command is recorded, so the next round sends it.
      await this.#dispatcher.sendNext(stationId).catch((error: unknown) => {
        log.warn({ stationId, commandId, action, err: error }, 'a command could not be sent immediately');
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
      ...storedRequest(action, request, { sealer, redaction: this.#redaction }),
      requestedBy: call.requestedBy ?? null,
      createdAt: at,
      expiresAt: new Date(at.getTime() + (ttlSeconds > 0 ? ttlSeconds * 1000 : DEFAULT_TTL_MS)),
    });
    await file.onRequest?.(request, context);
    await call.alongside?.(db, commandId);
    const recorded = await commandList.get(db, commandId);
    if (!recorded) throw new Error(`command ${commandId} was recorded but is missing`);
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
        `station ${stationId} has ${MAX_OPEN} commands waiting; send more when they are completed`,
      );
  }
}

function isCompleted({ status }: CommandRow): boolean {
  return status !== 'queued' && status !== 'sent';
}
