/** The manager answered a call with a CALLERROR. */
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

/** The manager did not answer a call in time. */
export class CallTimedOut extends Error {
  constructor(action: string, timeoutMs: number) {
    super(`${action} was not answered within ${timeoutMs} ms`);
    this.name = 'CallTimedOut';
  }
}

/** The socket was closed before the answer arrived: it is unknown whether the manager has the call. */
export class ConnectionClosed extends Error {
  constructor(what: string) {
    super(`${what}: the station is not connected`);
    this.name = 'ConnectionClosed';
  }
}

/** The gateway rejected the handshake with this HTTP status and possibly an explanation. */
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
