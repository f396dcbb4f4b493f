/** The limit of concurrent transfers is reached. */
export class TooManyTransfers extends Error {
  override name = 'TooManyTransfers';
}

/** Limits concurrent transfers, and thereby memory. */
export class Transfers {
  readonly #max: number;
  #inProgress = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** Begins a transfer; the function returned ends it. Throws TooManyTransfers. */
  begin(): () => void {
    if (this.#inProgress >= this.#max)
      throw new TooManyTransfers(`${this.#max} transfers are in progress; try again in a moment`);
    this.#inProgress++;
    let isOver = false;
    return () => {
      if (!isOver) this.#inProgress--;
      isOver = true;
    };
  }
}
