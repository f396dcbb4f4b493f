/** A station that answers no pings counts as dead after this many missed heartbeats. */
const MISSED_HEARTBEATS = 3;

/**
 * Decides whether the peer of a socket is still there. A station that has answered one ping must answer every ping. Some stations never
 * answer pings, although RFC 6455 requires it; those count as dead after several missed heartbeats.
 */
export class Liveness {
  readonly #silenceMs: number;
  readonly #nowMs: () => number;
  #lastHeardMs: number;
  #heardSincePing = true;
  #answersPings = false;

  constructor(heartbeatSeconds: number, nowMs: () => number = () => performance.now()) {
    this.#silenceMs = heartbeatSeconds * MISSED_HEARTBEATS * 1000;
    this.#nowMs = nowMs;
    this.#lastHeardMs = nowMs();
  }

  /** Call this when anything arrives from the station. */
  hear(): void {
    this.#lastHeardMs = this.#nowMs();
    this.#heardSincePing = true;
  }

  /** Call this when the station answers a ping. */
  hearPong(): void {
    this.#answersPings = true;
    this.hear();
  }

  /** The reason why the connection is dead; undefined while it is alive. */
  fault(): string | undefined {
    if (this.#answersPings) return this.#heardSincePing ? undefined : 'no pong';
    const silentMs = this.#nowMs() - this.#lastHeardMs;
    return silentMs > this.#silenceMs ? `silent for ${Math.round(silentMs / 1000)} s` : undefined;
  }

  /** Call this when the station is pinged. */
  onPing(): void {
    this.#heardSincePing = false;
  }
}
