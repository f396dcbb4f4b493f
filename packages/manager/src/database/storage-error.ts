import pg from 'pg';

type Fault = 'transient' | 'theirs' | 'ours';

/** The faults of SQLSTATE codes and classes, other than `ours`. Codes take precedence over classes. */
const FAULTS: Record<string, Fault> = {
  '08': 'transient', // connection
  '25006': 'transient', // read-only: a standby is being promoted
  '25P03': 'transient', // the transaction was idle for too long, and its connection ended
  '40': 'transient', // serialization, deadlock
  '53': 'transient', // disk full, out of memory, too many connections
  '55': 'transient', // locked, or not in the needed state
  '57': 'transient', // shutdown, cancelled, starting up
  '58': 'transient', // I/O error of the server
  XX001: 'transient',
  '22003': 'theirs', // a number out of range
  '22007': 'theirs', // an invalid date
  '22008': 'theirs',
  '22021': 'theirs', // U+0000 in a text
  '22P02': 'theirs', // 1e300 for an integer
  '22P05': 'theirs', // U+0000 in JSON
};

const BROKEN_CONNECTION = /^(ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|ENOENT)/;

/**
 * Classifies a database error. `transient`: nothing was stored and a retry may succeed, so no reply may be sent; `theirs`: the client
 * sent a value that cannot be stored; `ours`: everything else.
 */
export function faultOf(error: unknown): Fault {
  if (error instanceof pg.DatabaseError) {
    const code = error.code ?? '';
    return FAULTS[code] ?? FAULTS[code.slice(0, 2)] ?? 'ours';
  }
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (typeof code === 'string' && BROKEN_CONNECTION.test(code)) return 'transient';
  // node-postgres sets no code when it cannot reach the server.
  const PG_MESSAGES =
    /timeout exceeded when trying to connect|Connection terminated|Query read timeout|Client has encountered a connection error|not queryable/;
  return typeof message === 'string' && PG_MESSAGES.test(message) ? 'transient' : 'ours';
}
