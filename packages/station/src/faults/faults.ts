import type { Random } from '../runtime/random.ts';

/** The faults that can be triggered, and their effects. */
export const faultNames = [
  // Terminates the socket after a call is written: the manager may or may not have it.
  'dropSocketBeforeAnswer',
  // Terminates the socket when the answer arrives and loses the answer: the manager certainly has the call.
  'dropSocketAtAnswer',
  // Retries an unanswered transaction message with a new message id.
  'repeatWithNewId',
  // Sends an answered transaction message once more.
  'repeatAnsweredWithSameId',
  'repeatAnsweredWithNewId',
  // Runs a session offline and delivers it afterwards.
  'goOffline',
  // Sends one of `malformedFrames` before a sample.
  'sendMalformedFrame',
  // Never answers a command.
  'leaveCommandUnanswered',
  // Terminates the socket instead of answering a command, as real stations do on Reset.
  'dropSocketAtCommand',
] as const;

/** The name of a fault. */
export type FaultName = (typeof faultNames)[number];

/** The probability of a fault at each opportunity, 0 to 1. */
export type FaultProbabilities = Partial<Record<FaultName, number>>;

/** True for a name of `faultNames`. */
export function isFaultName(name: string): name is FaultName {
  return (faultNames as readonly string[]).includes(name);
}

/** Decides when a fault happens: by its probability, or at the next requested opportunity. */
export class Faults {
  #random: Random;
  #probabilities: FaultProbabilities;
  #armed: { name: FaultName; action: string | undefined }[] = [];

  constructor(random: Random, probabilities: FaultProbabilities = {}) {
    this.#random = random;
    this.#probabilities = { ...probabilities };
  }

  /** Sets the fault's probability. */
  set(name: FaultName, probability: number): void {
    this.#probabilities[name] = probability;
  }

  /** Triggers the fault once, at the next opportunity (of this action). */
  next(name: FaultName, action?: string): void {
    this.#armed.push({ name, action });
  }

  /** Terminates the socket after the next call (of this action) is written. */
  dropBeforeNextAnswer(action?: string): void {
    this.next('dropSocketBeforeAnswer', action);
  }

  /** Removes all faults. */
  clear(): void {
    this.#probabilities = {};
    this.#armed = [];
  }

  /** Called at each opportunity: whether the fault happens now. */
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
