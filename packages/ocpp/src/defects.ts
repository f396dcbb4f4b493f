import { describeFault } from './fault.ts';
import type { Fault } from './fault.ts';

// One frame of a megabyte has room for half a million faults.
const MAX_DEFECTS = 20;

/** What was wrong with a payload that could be used nevertheless. */
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
