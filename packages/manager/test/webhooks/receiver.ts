import { createHmac, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  id: number;
  kind: string;
  stationId: string;
  data: { type?: string };
}

/** A response: a status, or none. */
export type Answer = number | 'never';

/**
 * An independent server that receives events. It checks each signature itself and responds with 401 to an invalid one.
 */
export class Receiver {
  /** Events answered with 2xx, in order. */
  readonly taken: Received[] = [];
  /** All received events. */
  readonly tries: Received[] = [];
  /** Bodies with an invalid signature or headers. */
  readonly bad: string[] = [];
  secret = '';
  answer: (event: Received) => Answer | Promise<Answer> = () => 204;
  #server: Server | undefined;
  #port = 0;

  get url(): string {
    return `http://127.0.0.1:${this.#port}/hook`;
  }

  async open(): Promise<this> {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString();
        void this.#take(request.headers, body).then((status) => {
          if (status !== 'never') response.writeHead(status).end();
        });
      });
    });
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
    return this;
  }

  /** Closes the server: connections are refused. */
  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    server?.closeAllConnections();
    await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
  }

  /** Kinds of a station's accepted events, in order. */
  typesOf(stationId: string): unknown[] {
    return this.taken.filter((event) => event.stationId === stationId).map(({ data }) => data.type);
  }

  async #take(headers: Record<string, string | string[] | undefined>, body: string): Promise<Answer> {
    const timestamp = String(headers['evander-timestamp']);
    const given = /^v1=([\da-f]{64})$/.exec(String(headers['evander-signature']))?.[1] ?? '';
    const expected = createHmac('sha256', this.secret).update(`${timestamp}.${body}`).digest();
    const isSigned = given !== '' && timingSafeEqual(Buffer.from(given, 'hex'), expected);
    const isFresh = Math.abs(Date.now() / 1000 - Number(timestamp)) < 60;
    const event = JSON.parse(body) as Received;
    if (!isSigned || !isFresh || headers['evander-event-id'] !== String(event.id)) {
      this.bad.push(body);
      return 401;
    }
    this.tries.push(event);
    const answer = await this.answer(event);
    if (answer !== 'never' && answer < 300) this.taken.push(event);
    return answer;
  }
}
