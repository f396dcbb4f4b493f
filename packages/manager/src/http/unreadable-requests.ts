import type { Log } from '@evander/process';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { ALWAYS, NO_PAGE } from './security-headers.ts';

const FAULTS: Record<string, [status: number, detail: string]> = {
  HPE_HEADER_OVERFLOW: [431, 'the headers are too long; send 16 KiB at most'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'the request was not complete in time; send it again'],
};
const UNREADABLE: [number, string] = [400, 'this is not an HTTP/1.1 request; send one'];

/**
 * Responds with a problem document to input that the HTTP parser rejects, and ends the connection. Logs only the error's code: the error
 * contains the received bytes, possibly with an API key.
 */
export function unreadableAnswerer(log: Log): (error: Error & { code?: string }, socket: Socket) => void {
  return (error, socket) => {
    const code = error.code ?? '';
    if (code === 'ECONNRESET' || socket.destroyed) return;
    log.trace({ code }, 'a client sent invalid HTTP');
    // If a response has begun, the client would take a second one for its end.
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
