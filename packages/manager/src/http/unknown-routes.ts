import type { FastifyInstance } from 'fastify';
import { answerProblem, Problem } from './problem.ts';

/** Answers paths that there are not. */
export function refuseUnknownPaths(app: FastifyInstance): void {
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0] ?? '';
    const problem = new Problem(404, `there is no ${request.method} ${path}; /docs shows what there is`);
    return answerProblem(problem, request, reply);
  });
}

/** Notes the routes from here on; the function returned adds a refusal for every method that a path does not have. */
export function refuseOtherMethods(app: FastifyInstance): () => void {
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
        // Before the body is read: whatever it holds, the method is what is wrong.
        onRequest: async ({ method }) => {
          throw new Problem(405, `${method} does nothing here; ${allow} would`, { headers: { allow } });
        },
        handler: () => {},
      });
    }
  };
}
