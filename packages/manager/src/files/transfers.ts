/** As many transfers as there may be at once are under way. */
export class TooManyTransfers extends Error {
  override name = 'TooManyTransfers';
}

/** Counts what is under way, so that memory stays bounded whatever stations do. */
export class Transfers {
  readonly #max: number;
  #underWay = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** Begins a transfer; the function returned ends it. Throws TooManyTransfers. */
  begin(): () => void {
    if (this.#underWay >= this.#max)
      throw new TooManyTransfers(`${this.#max} transfers are under way; try again in a moment`);
    this.#underWay++;
    let isOver = false;
    return () => {
      if (!isOver) this.#underWay--;
      isOver = true;
    };
  }
}
