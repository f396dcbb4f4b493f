import type { StationContext } from '../context/station-context.ts';
import { wait } from '../runtime/wait.ts';

/** Requests a certificate with new CSRs until one arrives (PNC §9.3, §9.4). */
export class CertificateRequest<A> {
  readonly #station: StationContext;
  readonly #send: () => Promise<A>;
  #waiting = new AbortController();

  /** `send` creates and sends a CSR, and resolves with the answer. */
  constructor(station: StationContext, send: () => Promise<A>) {
    this.#station = station;
    this.#send = send;
  }

  /** Resolves with the first answer. After a rejection no further CSR follows. */
  async start(): Promise<A> {
    this.end();
    const { signal } = (this.#waiting = new AbortController());
    const answer = await this.#send();
    if (isAccepted(answer)) void this.#repeat(AbortSignal.any([signal, this.#station.closed]));
    return answer;
  }

  /** Ends the requests: the certificate has arrived or is no longer desired. */
  end(): void {
    this.#waiting.abort();
  }

  /** The delay doubles each time. Without the configuration keys it asks once. */
  async #repeat(signal: AbortSignal): Promise<void> {
    const { configuration, options } = this.#station;
    const times = configuration.integer('CertSigningRepeatTimes');
    const firstMs = options.security?.signingWaitMs ?? configuration.integer('CertSigningWaitMinimum') * 1000;
    for (let time = 0; time < times && firstMs > 0; time++) {
      await wait(firstMs * 2 ** time, signal);
      if (signal.aborted) return;
      // A missing answer makes the next request even more necessary.
      await this.#send().catch(() => undefined);
    }
  }
}

function isAccepted(answer: unknown): boolean {
  return typeof answer === 'object' && (answer as { status?: string } | null)?.status === 'Accepted';
}
