import type { Socket } from 'node:net';

/** The value read from the first bytes of a connection, and how many of those bytes the next reader must not see. */
export interface Opening<T> {
  value: T;
  length: number;
}

/** The connection is rejected; `status` is the matching HTTP status. */
export class OpeningError extends Error {
  override name = 'OpeningError';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** The client closed the connection before it sent anything, as port probes do. */
export class ClosedEarlyError extends Error {
  override name = 'ClosedEarlyError';
}

/**
 * Reads the start of a new connection until `parse` returns a value, and leaves the rest for the next reader. Rejects with the error that
 * `parse` throws, or when the bytes do not arrive in time.
 */
export function readOpening<T>(
  socket: Socket,
  timeoutMs: number,
  parse: (bytes: Buffer) => Opening<T> | undefined,
): Promise<T> {
  return new Promise((resolve, reject) => {
    let bytes: Buffer = Buffer.alloc(0);
    const finish = (end: () => void): void => {
      clearTimeout(timer);
      socket.off('readable', onReadable);
      socket.off('end', onClose);
      socket.off('close', onClose);
      end();
    };
    const onReadable = (): void => {
      const chunk = socket.read() as Buffer | null;
      if (chunk === null) return;
      bytes = Buffer.concat([bytes, chunk]);
      try {
        const opening = parse(bytes);
        if (!opening) return;
        if (bytes.length > opening.length) socket.unshift(bytes.subarray(opening.length));
        finish(() => resolve(opening.value));
      } catch (error) {
        finish(() => reject(error instanceof Error ? error : new Error(String(error))));
      }
    };
    const onClose = (): void => finish(() => reject(new ClosedEarlyError()));
    const timer = setTimeout(
      () => finish(() => reject(new OpeningError(408, 'no first bytes in time'))),
      timeoutMs,
    );
    socket.on('readable', onReadable);
    socket.on('end', onClose);
    socket.on('close', onClose);
  });
}

/** Returns the first byte without consuming it. */
export function peekFirstByte(socket: Socket, timeoutMs: number): Promise<number> {
  return readOpening(socket, timeoutMs, (bytes) => ({ value: bytes.readUInt8(0), length: 0 }));
}
