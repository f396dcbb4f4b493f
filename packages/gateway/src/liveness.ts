/** A station that answers no pings is dead when it has missed so many heartbeats. */
const MISSED_HEARTBEATS = 3;

/**
 * Tells whether the other end of a socket is still there. A station that has answered a ping is expected to answer each of them. Some never
 * do, though RFC 6455 demands it: those are judged by their silence, and not before they have missed several heartbeats.
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

  /** Something has come from the station. */
  hear(): void {
    this.#lastHeardMs = this.#nowMs();
    this.#heardSincePing = true;
  }

  /** The station has answered a ping. */
  hearPong(): void {
    this.#answersPings = true;
    this.hear();
  }

  /** Why the connection is dead; undefined while it is not. */
  fault(): string | undefined {
    if (this.#answersPings) return this.#heardSincePing ? undefined : 'no pong';
    const silentMs = this.#nowMs() - this.#lastHeardMs;
    return silentMs > this.#silenceMs ? `silent for ${Math.round(silentMs / 1000)} s` : undefined;
  }

  /** The station is pinged. */
  onPing(): void {
    this.#heardSincePing = false;
  }
}
