import { encodeEnvelope } from '@evander/broker';
import type { CallEnvelope } from '@evander/broker';
import { faultOf } from '../database/storage-error.ts';
import { callFrame } from './call-frame.ts';
import * as commands from './commands.store.ts';
import type { Outgoing } from './commands.store.ts';
import { repeatableActions } from './options.ts';
import type { CallMakerOptions } from './options.ts';
import { openRequest } from './request.ts';

/** An unanswered command is published again after this time: the broker or a gateway may have lost it. */
const REPUBLISH_AFTER_MS = 3000;
/** A station that has just connected and not booted is sent nothing for this time: it may be about to boot. */
const BOOT_GRACE_MS = 3000;

/** Sends commands to stations: one at a time to each, in order. */
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
      // Another manager has just sent one.
      if ((error as { constraint?: unknown }).constraint === 'commands_one_sent') return;
      throw error;
    }
    if (!command) return;
    this.#publish(command);
    this.#record(command);
  }

  /** Sends all commands that could be sent: those left by managers that died, and those for stations that have connected. */
  async sendWaiting(): Promise<void> {
    const { database, now } = this.#options;
    const connectedBefore = new Date(now().getTime() - BOOT_GRACE_MS);
    for (const stationId of await commands.readyStations(database, connectedBefore))
      await this.sendNext(stationId);
  }

  /** Publishes unanswered commands again. */
  async sendAgain(): Promise<void> {
    const { database, now } = this.#options;
    const at = now();
    const publishedBefore = new Date(at.getTime() - REPUBLISH_AFTER_MS);
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
      // The stored connection may be outdated: only the gateway knows whether it is still the station's.
      if (!this.#repeatable.includes(action)) envelope.connection_id = connectionId;
      // If the broker is unavailable, the next round publishes it.
      publish(stationId, encodeEnvelope(envelope));
    } catch (error) {
      log.error(
        { stationId, commandId: id, action, err: error },
        'a command could not be unsealed for sending',
      );
    }
  }

  #record(command: Outgoing): void {
    const { frames, now, log } = this.#options;
    const { stationId } = command;
    frames.add([callFrame(command, now())]).catch((error: unknown) => {
      const fault = faultOf(error);
      log.warn({ stationId, fault, err: error }, 'the frame of a command could not be recorded');
    });
  }
}
