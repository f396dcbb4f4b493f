import type { CallEnvelope } from '@evander/broker';
import { DIALECTS } from '@evander/ocpp';
import type { Dialect } from '@evander/ocpp';
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Question, TestManager } from '../test-manager.ts';

/** Sends a tunnelled message from CP1; returns the status of the DataTransfer and the inner response. */
export async function tunnel(
  manager: TestManager,
  { dialect, action }: { dialect: Dialect; action: string },
  payload: unknown,
  question: Question = {},
): Promise<{ status: string; inner: unknown; code?: string }> {
  const data = typeof payload === 'string' ? payload : JSON.stringify(payload);
  const { vendorId } = DIALECTS[dialect];
  const answer = await manager.ask('DataTransfer', { vendorId, messageId: action, data }, question);
  const { status = '', data: inner } = (answer.response ?? {}) as { status?: string; data?: string };
  return {
    status,
    inner: inner === undefined ? undefined : JSON.parse(inner),
    ...(answer.code !== undefined && { code: answer.code }),
  };
}

/** The last tunnelled message that was sent: its messageId, vendorId and payload. */
export function lastTunnelled(manager: TestManager): {
  call: CallEnvelope;
  vendorId: unknown;
  messageId: unknown;
  payload: Record<string, unknown>;
} {
  const call = manager.sent().findLast(({ action }) => action === 'DataTransfer');
  if (!call) throw new Error('no DataTransfer was sent');
  const { vendorId, messageId, data } = call.request;
  return { call, vendorId, messageId, payload: JSON.parse(String(data)) as Record<string, unknown> };
}

/** A station's answer to a tunnelled command. */
export function tunnelled(payload: object): { status: 'Accepted'; data: string } {
  return { status: 'Accepted', data: JSON.stringify(payload) };
}

/** A request to a stand-in server. */
export interface Asked {
  path: string;
  headers: IncomingMessage['headers'];
  body: Buffer;
}
export interface StandIn {
  url: string;
  asked: Asked[];
  close(): Promise<void>;
}

/** An HTTP server for a test; if `answer` rejects, it responds with 500. */
export async function standIn(
  answer: (
    asked: Asked,
  ) =>
    | Promise<{ status?: number; type?: string; body?: Buffer | string }>
    | { status?: number; type?: string; body?: Buffer | string },
): Promise<StandIn> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const one = { path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks) };
      asked.push(one);
      Promise.resolve()
        .then(() => answer(one))
        .then(
          ({ status = 200, type = 'application/json', body = '' }) =>
            response.writeHead(status, { 'content-type': type }).end(body),
          (error: unknown) => response.writeHead(500).end(String(error)),
        );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
