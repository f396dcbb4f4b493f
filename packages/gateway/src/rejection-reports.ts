import type { Rejection } from '@evander/broker';

const FLUSH_MS = 500;
const LIMIT_PER_FLUSH = 100;

/** Gathers refused handshakes and tells them in batches; a flood of them is thinned out, here as in the log. */
export class RejectionReports {
  readonly #tell: (handshakes: Rejection[]) => void;
  #waiting: Rejection[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(tell: (handshakes: Rejection[]) => void) {
    this.#tell = tell;
  }

  add(handshake: Rejection): void {
    if (this.#waiting.length < LIMIT_PER_FLUSH) this.#waiting.push(handshake);
    this.#timer ??= setTimeout(() => this.flush(), FLUSH_MS);
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waiting.length > 0) this.#tell(this.#waiting);
    this.#waiting = [];
  }
}
