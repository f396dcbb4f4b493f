import type { Socket } from 'node:net';

/** What the bytes at the beginning of a connection are, and how many of them are not for the next reader. */
export interface Opening<T> {
  value: T;
  length: number;
}

/** A connection that is not served, with the status that an HTTP answer would have. */
export class OpeningError extends Error {
  override name = 'OpeningError';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** A client that closed its connection before it sent anything, as probes of a port do. */
export class ClosedEarlyError extends Error {
  override name = 'ClosedEarlyError';
}

/**
 * Reads the beginning of a new connection until `parse` knows what it is, and leaves the rest for the next reader. Rejects with what
 * `parse` throws, or when the bytes do not come in time.
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

/** The first byte, which is left where it is. */
export function peekFirstByte(socket: Socket, timeoutMs: number): Promise<number> {
  return readOpening(socket, timeoutMs, (bytes) => ({ value: bytes.readUInt8(0), length: 0 }));
}
