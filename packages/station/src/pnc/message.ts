import type { Dialect } from '../options/dialect.ts';
import type { Shape } from './shape.ts';

/** A message to the manager: its request in each dialect and the shape of its answer. */
export type PncMessage<Request, Answer> = {
  readonly [D in Dialect]: {
    /** Throws if the dialect cannot express the request. */
    write: (request: Request) => object;
    answer: Shape<Answer>;
  };
} & { readonly messageId: string };
