import { randomUUID } from 'node:crypto';
import type { Random, Station } from '@evander/station';
import { eventually } from '../system.ts';
import type { System } from '../system.ts';
import { tagOf } from './fleets.ts';

/** A command that an API client sent. */
export interface SentCommand {
  stationId: string;
  action: string;
  /** Time of the first attempt, Unix time in ms. */
  atMs: number;
  /** HTTP statuses of the attempts; 0 for no answer. */
  statuses: number[];
  /** Absent if the command was rejected. */
  commandId?: string;
  /** The error of the last attempt, if no attempt was answered for a minute. */
  fault?: string;
}

const CLIENTS = 16;
const TRY_TIMEOUT_MS = 15_000;
/** A station must not receive these twice. */
export const NON_REPEATABLE = ['Reset', 'RemoteStartTransaction', 'UnlockConnector'];

type DesiredCommand = { action: string; request: object };

function drawCommand(random: Random, { stationId, connectors }: Station): DesiredCommand {
  const connectorId = 1 + Math.floor(random.between(0, connectors.length));
  const wishes: [DesiredCommand, ...DesiredCommand[]] = [
    { action: 'Reset', request: { type: 'Hard' } },
    { action: 'Reset', request: { type: 'Hard' } },
    { action: 'Reset', request: { type: 'Soft' } },
    {
      action: 'RemoteStartTransaction',
      request: { connectorId, idTag: tagOf(stationId, connectorId) },
    },
    { action: 'UnlockConnector', request: { connectorId } },
    { action: 'UnlockConnector', request: { connectorId } },
    { action: 'ClearCache', request: {} },
    { action: 'GetConfiguration', request: { key: ['HeartbeatInterval'] } },
    { action: 'GetLocalListVersion', request: {} },
    {
      action: 'ChangeConfiguration',
      request: { key: 'ResetRetries', value: String(Math.floor(random.between(1, 9))) },
    },
    {
      action: 'TriggerMessage',
      request: { requestedMessage: 'StatusNotification', connectorId },
    },
  ];
  return random.pick(wishes);
}

/** API clients that send commands to random stations and retry each with the same Idempotency-Key until it is answered. */
export class CommandClients {
  readonly sent: SentCommand[] = [];
  readonly #system: System;
  readonly #stations: readonly Station[];
  readonly #random: Random;

  constructor(options: { system: System; stations: readonly Station[]; random: Random }) {
    this.#system = options.system;
    this.#stations = options.stations;
    this.#random = options.random;
  }

  /** Resolves once the signal is aborted and the last command is answered. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(Array.from({ length: CLIENTS }, (_, index) => this.#runOne(index, signal)));
  }

  async #runOne(index: number, signal: AbortSignal): Promise<void> {
    const random = this.#random;
    const [first, ...others] = this.#stations;
    if (!first) return;
    for (let manager = index; !signal.aborted; manager++) {
      const station = random.pick([first, ...others]);
      const { action, request } = drawCommand(random, station);
      const waitSeconds = random.pick([0, 0, 1, 5]);
      const ttlSeconds = random.pick([0, 20]);
      const path = `/stations/${station.stationId}/commands/${action}?waitSeconds=${waitSeconds}&ttlSeconds=${ttlSeconds}`;
      const command: SentCommand = { stationId: station.stationId, action, atMs: Date.now(), statuses: [] };
      this.sent.push(command);
      await this.#send(command, { path, request, manager });
      await new Promise((resolve) => setTimeout(resolve, random.between(100, 600)));
    }
  }

  async #send(
    command: SentCommand,
    { path, request, manager }: { path: string; request: object; manager: number },
  ): Promise<void> {
    const key = randomUUID();
    let next = manager;
    await eventually(async () => {
      command.statuses.push(0);
      const response = await this.#system.request('POST', path, {
        body: request,
        headers: { 'idempotency-key': key },
        manager: next++ % this.#system.managers.length,
        signal: AbortSignal.timeout(TRY_TIMEOUT_MS),
      });
      command.statuses[command.statuses.length - 1] = response.status;
      const text = await response.text();
      // An earlier attempt with the same key may still be in progress, at a manager that is alive or was killed.
      const isInProgress = response.status === 409 && text.includes('Idempotency-Key');
      if (response.status === 503 || isInProgress) throw new Error(text);
      if (!response.ok) return;
      command.commandId = (JSON.parse(text) as { commandId: string }).commandId;
    }).catch((error: unknown) => {
      command.fault = String(error);
    });
  }
}
