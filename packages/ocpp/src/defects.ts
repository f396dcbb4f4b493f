import { describeFault } from './fault.ts';
import type { Fault } from './fault.ts';

// A frame of one megabyte can contain half a million faults.
const MAX_DEFECTS = 20;

/** Faults of a payload that was still usable. */
export class Defects {
  readonly #sentences: string[] = [];
  #unlisted = 0;

  add(fault: Fault, consequence: string): void {
    if (this.#sentences.length < MAX_DEFECTS) this.#sentences.push(`${describeFault(fault)}: ${consequence}`);
    else this.#unlisted += 1;
  }

  list(): string[] {
    return this.#unlisted > 0 ? [...this.#sentences, `and ${this.#unlisted} more`] : [...this.#sentences];
  }
}
