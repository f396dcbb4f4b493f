import { Problem } from './problem.ts';

/** What a field of a body holds. Throws Problem 400 with the field and its fault. */
export function readPem<T>(field: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new Problem(
      400,
      `${field} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      {
        field,
      },
    );
  }
}
