import { Type } from '@fastify/type-provider-typebox';
import type { ApiContext } from '../api-context.ts';
import type { App } from '../http/route.ts';

const DATABASE_TIMEOUT_MS = 2000;
const Health = Type.Object(
  { status: Type.String({ examples: ['ready'] }), cause: Type.Optional(Type.String()) },
  { title: 'Health', description: 'State of the process' },
);

/** Routes for health and metrics, without API key. */
export function healthRoutes(app: App, context: ApiContext): void {
  const config = { role: 'anyone' } as const;
  const tags = ['health'];
  app.get(
    '/health/live',
    {
      config,
      schema: { operationId: 'isLive', summary: 'Is the process alive?', tags, response: { 200: Health } },
    },
    () => ({ status: 'live' }),
  );
  app.get(
    '/health/ready',
    {
      config,
      schema: {
        operationId: 'isReady',
        summary: 'Is the process ready: are the database and the broker available?',
        tags,
        response: { 200: Health, 503: Health },
      },
    },
    async (_request, reply) => {
      const cause = await faultOf(context);
      if (cause === undefined) return { status: 'ready' };
      return reply.code(503).send({ status: 'not ready', cause });
    },
  );
  const { metrics } = context;
  app.addHook('onResponse', async (_request, { statusCode }) => metrics.countRequest(statusCode));
  app.get(
    '/metrics',
    {
      config,
      schema: {
        operationId: 'metrics',
        summary: 'Metrics, as Prometheus reads them',
        tags,
        response: {
          200: {
            description: 'Metrics',
            content: {
              'text/plain': {
                schema: Type.String({
                  title: 'Metrics',
                  examples: ['evander_manager_connected_stations 12\n'],
                }),
              },
            },
          },
        },
      },
    },
    (_request, reply) => {
      reply.type(metrics.contentType);
      return metrics.text();
    },
  );
}

async function faultOf({ isReady, database }: ApiContext): Promise<string | undefined> {
  if (!(await isReady())) return 'the broker is away';
  const late = Symbol('late');
  const timer = new Promise((resolve) => setTimeout(resolve, DATABASE_TIMEOUT_MS, late).unref());
  try {
    const first = await Promise.race([database.query({ text: 'SELECT 1' }), timer]);
    return first === late ? 'the database does not answer' : undefined;
  } catch {
    return 'the database is away';
  }
}
