import { randomUUID } from 'node:crypto';
import { TLSSocket } from 'node:tls';
import { formatFrame, type Frame, type Requests, type Responses } from '@evander/ocpp';
import { Calls } from '../connection/calls.ts';
import { Connection } from '../connection/connection.ts';
import { recordViolation } from '../connection/violations.ts';
import { withSortedKeys } from '../options/quirks.ts';
import type { Security } from '../security/security.ts';
import { Inbox, type InboxContext } from './inbox.ts';

const ANSWER_TIMEOUT_MS = 30_000;
const RECONNECT_MIN_MS = 500;
const RECONNECT_MAX_MS = 30_000;

/** Parts of the station that the link uses. */
export type LinkContext = InboxContext & {
  readonly security: Pick<Security, 'handshake' | 'onFailure' | 'onOpen'>;
};

/** The station's link to the manager: its socket, its open call, and incoming messages. */
export class Link {
  readonly connection: Connection;
  readonly #station: LinkContext;
  readonly #calls: Calls;
  readonly #inbox: Inbox;

  constructor(station: LinkContext) {
    this.#station = station;
    this.connection = this.#createConnection();
    this.#calls = new Calls({
      send: (frame) => this.#send(frame),
      answerTimeoutMs: station.options.answerTimeoutMs ?? ANSWER_TIMEOUT_MS,
      onSent: (action, payload) => {
        if (action === 'StopTransaction' && station.quirks.doubleStop) this.#sendStopAgain(payload);
        if (station.faults.strikes('dropSocketBeforeAnswer', action)) this.connection.drop();
      },
    });
    this.#inbox = new Inbox({
      station,
      openCall: (id) => this.#calls.openCall(id),
      settle: (answer) => this.#calls.settle(answer),
      send: (frame) => this.#send(frame),
      drop: () => this.connection.drop(),
      record: (violation) => recordViolation(station, violation),
    });
    this.#watch();
  }

  async call<A extends keyof Requests>(action: A, request: Requests[A], id?: string): Promise<Responses[A]> {
    return (await this.#calls.call(action, request, id)) as Responses[A];
  }

  /** Effects of a command around its answer. */
  get inbox(): Pick<Inbox, 'beforeAnswer' | 'afterAnswer'> {
    return this.#inbox;
  }

  #send(frame: Frame): Promise<void> {
    return this.connection.send(formatFrame(this.#station.quirks.sortKeys ? withSortedKeys(frame) : frame));
  }

  /** Quirk 2: one with a reason, one without. The second answer is not awaited. */
  #sendStopAgain({ reason, ...rest }: Record<string, unknown>): void {
    const payload = reason === undefined ? { ...rest, reason: 'Local' } : rest;
    void this.#send({ type: 2, id: randomUUID(), action: 'StopTransaction', payload }).catch(() => undefined);
  }

  #createConnection(): Connection {
    const { random, options, quirks, security } = this.#station;
    const { subprotocols = ['ocpp1.6'], compression = false, noPongs = false } = quirks;
    const { minMs = RECONNECT_MIN_MS, maxMs = RECONNECT_MAX_MS } = options.reconnect ?? {};
    return new Connection({
      handshake: () => security.handshake(),
      reconnect: { minMs, maxMs },
      random,
      subprotocols,
      perMessageDeflate: compression,
      autoPong: !noPongs,
    });
  }

  #watch(): void {
    const { connection } = this;
    const station = this.#station;
    const { counters } = station.ledger;
    connection.on('failed', (error) => station.security.onFailure(error));
    connection.on('open', (transport) => {
      station.security.onOpen(transport instanceof TLSSocket ? transport : undefined);
      station.log('connected');
      station.emit('connected');
    });
    connection.on('close', (code) => {
      this.#calls.failAll();
      station.log(`disconnected with ${code}`);
      station.emit('disconnected', code);
    });
    connection.on('refused', (error) => {
      station.log(`not connected: ${error.message}`);
      station.emit('refused', error);
    });
    connection.on('sent', (data) => {
      counters.framesSent++;
      station.emit('sent', data);
    });
    connection.on('received', (data) => {
      counters.framesReceived++;
      station.emit('received', data);
      this.#inbox.read(data);
    });
  }
}
