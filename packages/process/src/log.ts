import { pino } from 'pino';
import type { Logger, LoggerOptions } from 'pino';
import { limitPerStation } from './log-limit.ts';
import { hideSecretText } from './redaction.ts';

export type Log = Logger;

/** JSON lines on standard output, or wherever else is named; what looks like a credential is never written. */
export function createLog(name: string, level: string, out?: { write(line: string): void }): Log {
  const options: LoggerOptions = {
    name,
    level,
    // What a station sent, where it could not be read.
    serializers: { text: (text: unknown) => (typeof text === 'string' ? hideSecretText(text) : text) },
    hooks: { logMethod: limitPerStation() },
    redact: {
      paths: ['password', 'secret', 'key', 'authorization', 'req.headers.authorization', '*.password'],
      censor: '…',
    },
  };
  return out === undefined ? pino(options) : pino(options, out);
}

/** A log that writes nothing. */
export function silentLog(): Log {
  return pino({ level: 'silent' });
}
