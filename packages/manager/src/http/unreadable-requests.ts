import type { Log } from '@evander/process';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { ALWAYS, NO_PAGE } from './security-headers.ts';

const FAULTS: Record<string, [status: number, detail: string]> = {
  HPE_HEADER_OVERFLOW: [431, 'the headers are too long; send 16 KiB at most'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'the request did not come to its end in time; send it again'],
};
const UNREADABLE: [number, string] = [400, 'this is no request of HTTP/1.1; send one'];

/**
 * Answers what the parser cannot read, for which there is no request yet, in the form of every other problem; ends the connection.
 * Of the error its code is logged and no more: it carries the bytes that came, with whatever key is among them.
 */
export function unreadableAnswerer(log: Log): (error: Error & { code?: string }, socket: Socket) => void {
  return (error, socket) => {
    const code = error.code ?? '';
    if (code === 'ECONNRESET' || socket.destroyed) return;
    log.trace({ code }, 'a client sent no HTTP');
    // After an answer that has begun, another would be taken for its end.
    if (!socket.writable || socket.bytesWritten > 0) socket.destroy();
    else socket.end(answerOf(code), () => socket.destroy());
  };
}

function answerOf(code: string): string {
  const [status, detail] = FAULTS[code] ?? UNREADABLE;
  const title = STATUS_CODES[status] ?? 'Error';
  const body = JSON.stringify({ type: 'about:blank', title, status, detail });
  const headers = {
    ...ALWAYS,
    ...NO_PAGE,
    'content-type': 'application/problem+json',
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${title}\r\n${lines.join('')}\r\n${body}`;
}
