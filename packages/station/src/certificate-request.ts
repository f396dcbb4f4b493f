import type { Station } from './station.ts';
import { wait } from './wait.ts';

/** Asks for a certificate with ever new CSRs until one comes (PNC §9.3, §9.4). */
export class CertificateRequest<A extends { status: string }> {
  readonly #station: Station;
  readonly #send: () => Promise<A | undefined>;
  #waiting = new AbortController();

  /** `send` makes a CSR, sends it, and resolves with the answer. */
  constructor(station: Station, send: () => Promise<A | undefined>) {
    this.#station = station;
    this.#send = send;
  }

  /** Resolves with the first answer. A refusal is not followed by another CSR. */
  async start(): Promise<A | undefined> {
    this.end();
    const { signal } = (this.#waiting = new AbortController());
    const answer = await this.#send();
    if (answer?.status === 'Accepted') void this.#repeat(AbortSignal.any([signal, this.#station.closed]));
    return answer;
  }

  /** The certificate has come, or is not wanted any more. */
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
      await this.#send();
    }
  }
}
