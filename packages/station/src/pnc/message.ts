import type { Dialect } from '../options/dialect.ts';
import type { Shape } from './shape.ts';

/** A message to the manager: how its request looks in each dialect, and what its answer must look like. */
export type PncMessage<Request, Answer> = {
  readonly [D in Dialect]: {
    /** Throws where the dialect has no words for the request. */
    write: (request: Request) => object;
    answer: Shape<Answer>;
  };
} & { readonly messageId: string };
