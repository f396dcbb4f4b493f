import type { PncStation } from './pnc-station.ts';
import type { Shape } from './shape.ts';

/** Answers a message from the manager, or returns its fault. */
export type PncCommand = (
  station: PncStation,
  request: unknown,
) => { answer: object; fault?: never } | { fault: string };

/** A command of one dialect. Its effects come after the answer: `station.afterAnswer`. */
export function command<T>(shape: Shape<T>, answer: (station: PncStation, request: T) => object): PncCommand {
  return (station, request) => {
    const fault = shape.fault(request, 'data');
    return fault === undefined ? { answer: answer(station, request as T) } : { fault };
  };
}
