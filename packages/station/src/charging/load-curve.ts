const RAMP_END = 0.1;
const TAPER_START = 0.8;
const TAPER_DEPTH = 0.9;
const AREA = 0.86;

/** The car's demand: a duration or an amount of energy. */
export type ChargePlan = { durationSeconds?: number; energyWh?: number };

/** Power over a session: a ramp up, a plateau, and the taper of a nearly full battery. */
export class LoadCurve {
  readonly durationSeconds: number;
  readonly #plateauW: number;

  /** With `energyWh` the session lasts as long as that energy needs at this power. */
  constructor(options: ChargePlan & { plateauW: number }) {
    this.#plateauW = options.plateauW;
    this.durationSeconds =
      options.energyWh === undefined
        ? (options.durationSeconds ?? 3600)
        : (options.energyWh * 3600) / (options.plateauW * AREA);
  }

  /** Power in W after this many seconds of charging; 0 when the car is full. */
  powerW(seconds: number): number {
    const part = this.#part(seconds);
    if (part >= 1) return 0;
    if (part < RAMP_END) return (this.#plateauW * part) / RAMP_END;
    if (part < TAPER_START) return this.#plateauW;
    return this.#plateauW * (1 - (TAPER_DEPTH * (part - TAPER_START)) / (1 - TAPER_START));
  }

  /** Energy in Wh delivered by then: the exact area under `powerW`. */
  energyWh(seconds: number): number {
    return (this.#plateauW * this.durationSeconds * areaUntil(this.#part(seconds))) / 3600;
  }

  #part(seconds: number): number {
    return this.durationSeconds <= 0 ? 1 : Math.min(1, seconds / this.durationSeconds);
  }
}

function areaUntil(part: number): number {
  if (part < RAMP_END) return part ** 2 / (2 * RAMP_END);
  if (part < TAPER_START) return part - RAMP_END / 2;
  const tail = (part - TAPER_START) / (1 - TAPER_START);
  return TAPER_START - RAMP_END / 2 + (1 - TAPER_START) * (tail - (TAPER_DEPTH * tail ** 2) / 2);
}
