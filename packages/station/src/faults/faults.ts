import type { Random } from '../runtime/random.ts';

/** Everything that can be made to go wrong on request, and what it does. */
export const faultNames = [
  // The socket is cut once a call is written: the manager may or may not have it.
  'dropSocketBeforeAnswer',
  // The socket is cut when the answer arrives, and the answer is lost: the manager certainly has the call.
  'dropSocketAtAnswer',
  // The retry of an unanswered transaction message goes out under a new message id.
  'repeatWithNewId',
  // A transaction message that was answered is sent once more.
  'repeatAnsweredWithSameId',
  'repeatAnsweredWithNewId',
  // A session takes place while the station is offline; it is delivered afterwards.
  'goOffline',
  // One of `malformedFrames` is sent before a sample.
  'sendMalformedFrame',
  // A command of the manager is never answered.
  'leaveCommandUnanswered',
  // The socket is cut instead of answering a command, as real stations do on Reset.
  'dropSocketAtCommand',
] as const;

/** The name of a fault. */
export type FaultName = (typeof faultNames)[number];

/** How often a fault happens, 0 to 1, each time it could. */
export type FaultProbabilities = Partial<Record<FaultName, number>>;

/** True for a name of `faultNames`. */
export function isFaultName(name: string): name is FaultName {
  return (faultNames as readonly string[]).includes(name);
}

/** Decides when a fault happens: as often as its probability says, or at the next opportunity asked for. */
export class Faults {
  #random: Random;
  #probabilities: FaultProbabilities;
  #armed: { name: FaultName; action: string | undefined }[] = [];

  constructor(random: Random, probabilities: FaultProbabilities = {}) {
    this.#random = random;
    this.#probabilities = { ...probabilities };
  }

  /** From now on the fault happens with this probability. */
  set(name: FaultName, probability: number): void {
    this.#probabilities[name] = probability;
  }

  /** The fault happens once, at the next opportunity (of this action). */
  next(name: FaultName, action?: string): void {
    this.#armed.push({ name, action });
  }

  /** The socket is cut once the next call (of this action) is written. */
  dropBeforeNextAnswer(action?: string): void {
    this.next('dropSocketBeforeAnswer', action);
  }

  /** No fault happens any more. */
  clear(): void {
    this.#probabilities = {};
    this.#armed = [];
  }

  /** Asked at each opportunity: does it happen now? */
  strikes(name: FaultName, action?: string): boolean {
    const at = this.#armed.findIndex((one) => one.name === name && (one.action ?? action) === action);
    if (at >= 0) {
      this.#armed.splice(at, 1);
      return true;
    }
    const probability = this.#probabilities[name] ?? 0;
    return probability > 0 && this.#random.next() < probability;
  }
}
