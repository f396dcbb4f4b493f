import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** The lines of a normal handshake, without the empty line at its end. */
export function handshakeLines(target: string, address: string): string[] {
  return [
    `GET ${target} HTTP/1.1`,
    'Host: 127.0.0.1',
    'Connection: Upgrade',
    'Upgrade: websocket',
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Protocol: ocpp1.6',
    `X-Forwarded-For: ${address}`,
  ];
}

/** Sends bytes; returns the server's answer until it closes the connection or falls silent. */
export async function exchange(port: number, bytes: Buffer, patienceMs: number): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  let answer = '';
  const ended = new Promise<void>((resolve) => {
    socket.on('close', () => resolve());
    socket.on('data', (data: Buffer) => {
      answer += data.toString('latin1');
      if (answer.includes('\r\n\r\n')) resolve();
    });
  });
  socket.write(bytes);
  await Promise.race([ended, delay(patienceMs)]);
  socket.destroy();
  return answer;
}

/** A raw socket after its handshake; undefined if the handshake was rejected. */
export async function openSocket(port: number, target: string, address: string): Promise<Socket | undefined> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(`${handshakeLines(target, address).join('\r\n')}\r\n\r\n`);
  const [data] = (await Promise.race([once(socket, 'data'), once(socket, 'close').then(() => [])])) as [
    Buffer?,
  ];
  if (data?.toString().startsWith('HTTP/1.1 101')) return socket.resume();
  socket.destroy();
  return undefined;
}

export interface WebSocketFrame {
  opcode: number;
  payload: Buffer;
  isFinal?: boolean;
  reserved?: number;
  isMasked?: boolean;
  /** The length in the header, if it is wrong. */
  claimedLength?: bigint;
}

/** The bytes of a WebSocket frame, even one that RFC 6455 does not allow. */
export function frameBytes(frame: WebSocketFrame): Buffer {
  const { opcode, payload, isFinal = true, reserved = 0, isMasked = true } = frame;
  const first = (isFinal ? 0x80 : 0) | (reserved << 4) | opcode;
  const length = frame.claimedLength ?? BigInt(payload.length);
  const mask = isMasked ? 0x80 : 0;
  let head: Buffer;
  if (length < 126n) head = Buffer.from([first, mask | Number(length)]);
  else if (length < 65_536n) {
    head = Buffer.from([first, mask | 126, 0, 0]);
    head.writeUInt16BE(Number(length), 2);
  } else {
    head = Buffer.alloc(10);
    head[0] = first;
    head[1] = mask | 127;
    head.writeBigUInt64BE(length, 2);
  }
  if (!isMasked) return Buffer.concat([head, payload]);
  // A zero mask is allowed and leaves the payload unchanged.
  return Buffer.concat([head, Buffer.alloc(4), payload]);
}

export function textBytes(text: string): Buffer {
  return frameBytes({ opcode: 1, payload: Buffer.from(text) });
}
