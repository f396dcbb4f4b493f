import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

/** Why a handshake is rejected: an HTTP status and a reason for the station, the log and the API. */
export class Refusal {
  readonly status: number;
  readonly reason: string;
  readonly headers: Record<string, string>;

  constructor(status: number, reason: string, headers: Record<string, string> = {}) {
    this.status = status;
    this.reason = reason;
    this.headers = headers;
  }
}

/** Answers with the refusal and closes the socket. */
export function refuse(socket: Duplex, { status, reason, headers }: Refusal): void {
  if (!socket.writable) return;
  const lines = Object.entries({
    Connection: 'close',
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': String(Buffer.byteLength(reason)),
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  // A peer that never closes its half would keep the socket forever.
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Refused'}\r\n${lines.join('')}\r\n${reason}`);
}
