import type { Station } from '../station.ts';
import type { Dialect } from './dialect.ts';
import type { Shape } from './shape.ts';

/** A message to the manager: how its request looks in each dialect, and what its answer must look like. */
export type PncMessage<Request, Answer> = {
  readonly [D in Dialect]: {
    /** Throws where the dialect has no words for the request. */
    write: (request: Request) => object;
    answer: Shape<Answer>;
  };
} & { readonly messageId: string };

/** Answers a message from the manager, or says what is wrong with it. */
export type PncCommand = (
  station: Station,
  request: unknown,
) => { answer: object; fault?: never } | { fault: string };

/** A command of one dialect. What it sets off comes after the answer: `station.afterAnswer`. */
export function command<T>(shape: Shape<T>, answer: (station: Station, request: T) => object): PncCommand {
  return (station, request) => {
    const fault = shape.fault(request, 'data');
    return fault === undefined ? { answer: answer(station, request as T) } : { fault };
  };
}
