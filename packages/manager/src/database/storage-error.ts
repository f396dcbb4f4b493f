import pg from 'pg';

type Fault = 'transient' | 'theirs' | 'ours';

/** SQLSTATE classes and codes that say more than "a fault of ours"; a code counts before its class. */
const FAULTS: Record<string, Fault> = {
  '08': 'transient', // connection
  '25006': 'transient', // read-only: a standby that is being promoted
  '25P03': 'transient', // the transaction was idle for too long, and its connection ended
  '40': 'transient', // serialization, deadlock
  '53': 'transient', // disk full, out of memory, too many connections
  '55': 'transient', // locked, or not in the needed state
  '57': 'transient', // shutdown, cancelled, starting up
  '58': 'transient', // input and output of the server
  XX001: 'transient',
  '22003': 'theirs', // a number out of range
  '22007': 'theirs', // a date that no calendar has
  '22008': 'theirs',
  '22021': 'theirs', // U+0000 in a text
  '22P02': 'theirs', // 1e300 for an integer
  '22P05': 'theirs', // U+0000 in JSON
};

const BROKEN_CONNECTION = /^(ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|ENOENT)/;

/**
 * Whose fault an error of the database is. `transient`: nothing was stored and it can be tried again, so no answer may leave;
 * `theirs`: a value that cannot be stored; `ours`: everything else.
 */
export function faultOf(error: unknown): Fault {
  if (error instanceof pg.DatabaseError) {
    const code = error.code ?? '';
    return FAULTS[code] ?? FAULTS[code.slice(0, 2)] ?? 'ours';
  }
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (typeof code === 'string' && BROKEN_CONNECTION.test(code)) return 'transient';
  // node-postgres has no code for its own failures to reach the server.
  const isPgs =
    /timeout exceeded when trying to connect|Connection terminated|Query read timeout|Client has encountered a connection error|not queryable/;
  return typeof message === 'string' && isPgs.test(message) ? 'transient' : 'ours';
}
