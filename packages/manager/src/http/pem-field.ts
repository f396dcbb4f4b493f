import { Problem } from './problem.ts';

/** Parses a field of a body. Throws Problem 400 with the field and the error. */
export function readPem<T>(field: string, parse: () => T): T {
  try {
    return parse();
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
