import type { StationContext } from '../context/station-context.ts';
import { wait } from '../runtime/wait.ts';

/** Asks for a certificate with ever new CSRs until one comes (PNC §9.3, §9.4). */
export class CertificateRequest<A> {
  readonly #station: StationContext;
  readonly #send: () => Promise<A>;
  #waiting = new AbortController();

  /** `send` makes a CSR, sends it, and resolves with the answer. */
  constructor(station: StationContext, send: () => Promise<A>) {
    this.#station = station;
    this.#send = send;
  }

  /** Resolves with the first answer. A refusal is not followed by another CSR. */
  async start(): Promise<A> {
    this.end();
    const { signal } = (this.#waiting = new AbortController());
    const answer = await this.#send();
    if (isAccepted(answer)) void this.#repeat(AbortSignal.any([signal, this.#station.closed]));
    return answer;
  }

  /** The certificate has come, or is not desired any more. */
  end(): void {
    this.#waiting.abort();
  }

  /** The wait doubles with each time. Without the keys it asks once. */
  async #repeat(signal: AbortSignal): Promise<void> {
    const { configuration, options } = this.#station;
    const times = configuration.integer('CertSigningRepeatTimes');
    const firstMs = options.security?.signingWaitMs ?? configuration.integer('CertSigningWaitMinimum') * 1000;
    for (let time = 0; time < times && firstMs > 0; time++) {
      await wait(firstMs * 2 ** time, signal);
      if (signal.aborted) return;
      // Without an answer the next one is all the more needed.
      await this.#send().catch(() => undefined);
    }
  }
}

function isAccepted(answer: unknown): boolean {
  return typeof answer === 'object' && (answer as { status?: string } | null)?.status === 'Accepted';
}
