import { formatFrame, type Requests, type Responses } from '@evander/ocpp';
import { Calls } from './calls.ts';
import { Connection } from './connection.ts';
import { Inbox } from './inbox.ts';
import type { Station } from './station.ts';
import { basicAuthorization } from './station-options.ts';

const ANSWER_TIMEOUT_MS = 30_000;
const RECONNECT_MIN_MS = 500;
const RECONNECT_MAX_MS = 30_000;

/** The station's way to the manager: its socket, its open call, and what comes in. */
export class Link {
  readonly connection: Connection;
  /** Takes effect with the next handshake. */
  password: string | Buffer | undefined;
  readonly #station: Station;
  readonly #calls: Calls;
  readonly #inbox: Inbox;

  constructor(station: Station) {
    this.#station = station;
    this.password = station.options.password;
    this.connection = this.#createConnection();
    this.#calls = new Calls({
      send: (text) => this.connection.send(text),
      answerTimeoutMs: station.options.answerTimeoutMs ?? ANSWER_TIMEOUT_MS,
      onSent: (action) => {
        if (station.faults.strikes('dropSocketBeforeAnswer', action)) this.connection.drop();
      },
    });
    this.#inbox = new Inbox({
      station,
      openCall: (id) => this.#calls.openCall(id),
      settle: (answer) => this.#calls.settle(answer),
      send: (frame) => this.connection.send(formatFrame(frame)),
      drop: () => this.connection.drop(),
      record: (violation) => {
        station.violations.push(violation);
        this.#log(`the manager sent what it should not: ${violation.fault}`);
        station.emit('violation', violation);
      },
    });
    this.#watch();
  }

  async call<A extends keyof Requests>(action: A, request: Requests[A], id?: string): Promise<Responses[A]> {
    return (await this.#calls.call(action, request, id)) as Responses[A];
  }

  afterAnswer(effect: () => unknown): void {
    this.#inbox.afterAnswer(effect);
  }

  #createConnection(): Connection {
    const { stationId, random, options } = this.#station;
    const { minMs = RECONNECT_MIN_MS, maxMs = RECONNECT_MAX_MS } = options.reconnect ?? {};
    return new Connection({
      url: `${options.url.replace(/\/$/, '')}/${encodeURIComponent(stationId)}`,
      headers: (): Record<string, string> =>
        this.password === undefined ? {} : { Authorization: basicAuthorization(stationId, this.password) },
      reconnect: { minMs, maxMs },
      random,
      tls: options.tls,
    });
  }

  #watch(): void {
    const { connection } = this;
    const station = this.#station;
    const { counters } = station.ledger;
    connection.on('open', () => {
      this.#log('connected');
      station.emit('connected');
    });
    connection.on('close', (code) => {
      this.#calls.failAll();
      this.#log(`disconnected with ${code}`);
      station.emit('disconnected', code);
    });
    connection.on('refused', (error) => {
      this.#log(`not connected: ${error.message}`);
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

  #log(message: string): void {
    this.#station.options.log?.(`${this.#station.stationId} ${message}`);
  }
}
