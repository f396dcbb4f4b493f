import type { Rejection } from '@evander/broker';

const FLUSH_MS = 500;
const LIMIT_PER_FLUSH = 100;

/** Collects rejected handshakes and reports them in batches. During a flood it reports only some of them, as the log does. */
export class RejectionReports {
  readonly #report: (handshakes: Rejection[]) => void;
  #waiting: Rejection[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(report: (handshakes: Rejection[]) => void) {
    this.#report = report;
  }

  add(handshake: Rejection): void {
    if (this.#waiting.length < LIMIT_PER_FLUSH) this.#waiting.push(handshake);
    this.#timer ??= setTimeout(() => this.flush(), FLUSH_MS);
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waiting.length > 0) this.#report(this.#waiting);
    this.#waiting = [];
  }
}
