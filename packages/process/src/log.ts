import { pino } from 'pino';
import type { Logger, LoggerOptions } from 'pino';
import { limitPerStation } from './log-limit.ts';
import { hideSecretText } from './redaction.ts';

export type Log = Logger;

/** Writes JSON lines to standard output or to `out`. Likely credentials are never written. */
export function createLog(name: string, level: string, out?: { write(line: string): void }): Log {
  const options: LoggerOptions = {
    name,
    level,
    // Unreadable data from a station.
    serializers: { text: (text: unknown) => (typeof text === 'string' ? hideSecretText(text) : text) },
    hooks: { logMethod: limitPerStation() },
    redact: {
      paths: ['password', 'secret', 'key', 'authorization', 'req.headers.authorization', '*.password'],
      censor: '…',
    },
  };
  return out === undefined ? pino(options) : pino(options, out);
}

/** A log that discards everything. */
export function silentLog(): Log {
  return pino({ level: 'silent' });
}
