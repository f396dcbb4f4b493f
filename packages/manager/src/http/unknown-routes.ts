import type { FastifyInstance } from 'fastify';
import { answerProblem, Problem } from './problem.ts';

/** Responds with 404 to unknown paths. */
export function rejectUnknownPaths(app: FastifyInstance): void {
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0] ?? '';
    const problem = new Problem(404, `${request.method} ${path} does not exist; see /docs`);
    return answerProblem(problem, request, reply);
  });
}

/** Records the routes added from now on; the returned function adds a 405 response for all other methods of their paths. */
export function rejectOtherMethods(app: FastifyInstance): () => void {
  const methodsOf = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    const methods = methodsOf.get(url) ?? new Set();
    for (const one of [method].flat()) methods.add(one);
    methodsOf.set(url, methods);
  });
  return () => {
    for (const [url, methods] of [...methodsOf]) {
      const allow = [...methods].join(', ');
      app.route({
        method: app.supportedMethods.filter((method) => !methods.has(method)),
        url,
        exposeHeadRoute: false,
        config: { role: 'anyone' },
        schema: { hide: true },
        // Before the body is read: the method is wrong, whatever the body contains.
        onRequest: async ({ method }) => {
          throw new Problem(405, `${method} is not allowed; use ${[...methods].join(' or ')}`, {
            headers: { allow },
          });
        },
        handler: () => {},
      });
    }
  };
}
