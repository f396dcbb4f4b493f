/** The manager answered our call with a CALLERROR. */
export class CallRefused extends Error {
  readonly code: string;
  readonly details: unknown;

  constructor(code: string, description: string, details?: unknown) {
    super(`the manager answered ${code}${description && `: ${description}`}`);
    this.name = 'CallRefused';
    this.code = code;
    this.details = details;
  }
}

/** The manager did not answer our call in time. */
export class CallTimedOut extends Error {
  constructor(action: string, timeoutMs: number) {
    super(`${action} was not answered within ${timeoutMs} ms`);
    this.name = 'CallTimedOut';
  }
}

/** The socket was or got closed before the answer came: whether the manager has the call is unknown. */
export class ConnectionClosed extends Error {
  constructor(what: string) {
    super(`${what}: the station is not connected`);
    this.name = 'ConnectionClosed';
  }
}

/** The gateway refused the handshake, with this HTTP status, and perhaps with a word about it. */
export class HandshakeRefused extends Error {
  readonly status: number;
  readonly says: string;

  constructor(url: string, status: number, says = '') {
    super(`${url} refused the connection with HTTP ${status}`);
    this.name = 'HandshakeRefused';
    this.status = status;
    this.says = says;
  }
}
