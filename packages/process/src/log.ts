import { pino } from 'pino';
import type { Logger } from 'pino';

export type Log = Logger;

/** JSON lines on standard output; what looks like a credential is never written. */
export function createLog(name: string, level: string): Log {
  return pino({
    name,
    level,
    redact: {
      paths: ['password', 'secret', 'key', 'authorization', 'req.headers.authorization', '*.password'],
      censor: '…',
    },
  });
}

/** A log that writes nothing. */
export function silentLog(): Log {
  return pino({ level: 'silent' });
}
