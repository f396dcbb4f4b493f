import { encodeEnvelope } from '@evander/broker';
import type { CallEnvelope } from '@evander/broker';
import { faultOf } from '../database/storage-error.ts';
import { callFrame } from './call-frame.ts';
import * as commands from './commands.store.ts';
import type { Outgoing } from './commands.store.ts';
import { repeatableActions } from './options.ts';
import type { CallMakerOptions } from './options.ts';
import { openRequest } from './request.ts';

/** A command that no answer has come to is published again so long after: the broker or a gateway may have lost it. */
const AGAIN_MS = 3000;
/** A station that connects without a boot is left alone so long: it may be about to. */
const SETTLE_IN_MS = 3000;

/** Sends commands: one at a time to each station, those that wait in order. */
export class Dispatcher {
  readonly #options: CallMakerOptions;
  readonly #repeatable: string[];

  constructor(options: CallMakerOptions) {
    this.#options = options;
    this.#repeatable = repeatableActions(options.commands);
  }

  /** Sends a station's next command, if it is its turn. */
  async sendNext(stationId: string): Promise<void> {
    const { database, now } = this.#options;
    let command: Outgoing | undefined;
    try {
      command = await commands.sendNext(database, stationId, now());
    } catch (error) {
      // Another manager has sent one in the same moment.
      if ((error as { constraint?: unknown }).constraint === 'commands_one_sent') return;
      throw error;
    }
    if (!command) return;
    this.#publish(command);
    this.#record(command);
  }

  /** Sends whatever waits and could go, whoever left it: commands of managers that died, of stations that have come. */
  async sendWaiting(): Promise<void> {
    const { database, now } = this.#options;
    const connectedBefore = new Date(now().getTime() - SETTLE_IN_MS);
    for (const stationId of await commands.readyStations(database, connectedBefore))
      await this.sendNext(stationId);
  }

  /** Publishes again what has been sent and not answered. */
  async sendAgain(): Promise<void> {
    const { database, now } = this.#options;
    const at = now();
    const publishedBefore = new Date(at.getTime() - AGAIN_MS);
    const lost = await commands.sendAgain(database, {
      now: at,
      publishedBefore,
      repeatable: this.#repeatable,
    });
    for (const command of lost) this.#publish(command);
  }

  #publish(command: Outgoing): void {
    const { sealer, publish, log } = this.#options;
    const { stationId, commandId: id, action, connectionId } = command;
    try {
      const request = openRequest(command, sealer);
      const envelope: CallEnvelope = { type: 2, id, action, request, ack: true };
      // What is stored of the connection may be old: only the gateway knows whether it is still the station's.
      if (!this.#repeatable.includes(action)) envelope.connection_id = connectionId;
      // When the broker is away it goes out with the next round.
      publish(stationId, encodeEnvelope(envelope));
    } catch (error) {
      log.error({ stationId, commandId: id, action, err: error }, 'a command could not be opened to be sent');
    }
  }

  #record(command: Outgoing): void {
    const { frames, now, log } = this.#options;
    const { stationId } = command;
    frames.add([callFrame(command, now())]).catch((error: unknown) => {
      const fault = faultOf(error);
      log.warn({ stationId, fault, err: error }, 'a command could not be recorded among the frames');
    });
  }
}
