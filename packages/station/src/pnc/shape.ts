import { isDateTime } from '@evander/ocpp';

/** The required shape of a JSON value; the check returns the fault with its path, or undefined. */
export type Shape<T> = {
  fault: (value: unknown, path: string) => string | undefined;
  /** Only for the compiler. */
  readonly like?: T;
};

type Like<S> = S extends Shape<infer T> ? T : never;
type Shapes = Record<string, Shape<unknown>>;
type Fields<R extends Shapes, O extends Shapes> = { [K in keyof R]: Like<R[K]> } & {
  [K in keyof O]?: Like<O[K]>;
};

/** A text of up to this many characters. */
export function text(maxLength: number): Shape<string> {
  return {
    fault: (value, path) => {
      if (typeof value !== 'string') return `${path} must be a string`;
      return value.length > maxLength ? `${path} is longer than ${maxLength} characters` : undefined;
    },
  };
}

/** An RFC 3339 time. */
export const dateTime: Shape<string> = {
  fault: (value, path) =>
    typeof value === 'string' && isDateTime(value) ? undefined : `${path} is no date-time`,
};

/** One of these values. */
export function oneOf<const W extends string>(...values: W[]): Shape<W> {
  return {
    fault: (value, path) =>
      values.some((one) => one === value) ? undefined : `${path} is not one of ${values.join(', ')}`,
  };
}

/** A list of this many items of a shape. */
export function list<T>(item: Shape<T>, { min = 0, max = Infinity } = {}): Shape<T[]> {
  return {
    fault: (value, path) => {
      if (!Array.isArray(value)) return `${path} must be an array`;
      if (value.length < min || value.length > max) return `${path} must hold ${min} to ${max} items`;
      return firstFault(value.map((one, at) => item.fault(one, `${path}[${at}]`)));
    },
  };
}

/** One of two shapes. */
export function either<A, B>(first: Shape<A>, second: Shape<B>): Shape<A | B> {
  return { fault: (value, path) => first.fault(value, path) && second.fault(value, path) };
}

/** An object with these fields, and no others. */
export function object<R extends Shapes, O extends Shapes = Record<never, never>>(
  required: R,
  optional: O = {} as O,
): Shape<Fields<R, O>> {
  const all: Shapes = { ...required, ...optional };
  return {
    fault: (value, path) => {
      if (typeof value !== 'object' || value === null || Array.isArray(value))
        return `${path} must be an object`;
      const missing = Object.keys(required).find((name) => !(name in value));
      if (missing) return `${path}.${missing} is missing`;
      return firstFault(
        Object.entries(value).map(([name, field]) =>
          Object.hasOwn(all, name)
            ? all[name]?.fault(field, `${path}.${name}`)
            : `${path}.${name} is no field of this message`,
        ),
      );
    },
  };
}

function firstFault(faults: (string | undefined)[]): string | undefined {
  return faults.find((fault) => fault !== undefined);
}
