import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Statuses of problems that are the route's own, for its description. */
    problems?: number[];
    /** The request sends a command under the id of `commandIdOf`: done twice, it has one effect. */
    sendsCommand?: boolean;
  }
}

/** The server as routes see it: their schemas give requests and answers their types. */
export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;
