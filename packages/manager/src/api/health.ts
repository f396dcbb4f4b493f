import { Type } from '@fastify/type-provider-typebox';
import type { ApiContext, App } from './route.ts';

const Health = Type.Object({ status: Type.String(), cause: Type.Optional(Type.String()) });

/** Health and metrics, for whoever watches the process: no key needed. */
export function healthRoutes(app: App, { database, isReady }: ApiContext): void {
  const schema = (summary: string) => ({
    summary,
    tags: ['health'],
    security: [],
    response: { 200: Health, 503: Health },
  });
  app.get('/health/live', { schema: schema('Is the process alive?') }, () => ({ status: 'live' }));
  app.get(
    '/health/ready',
    { schema: schema('Can it serve: are database and broker there?') },
    async (_request, reply) => {
      const cause = (await isReady()) ? await databaseFault() : 'the broker is away';
      if (cause === undefined) return { status: 'ready' };
      return reply.code(503).send({ status: 'not ready', cause });
    },
  );
  app.get(
    '/metrics',
    { schema: { summary: 'Prometheus metrics', tags: ['health'], security: [] } },
    (_request, reply) => {
      reply.type('text/plain; version=0.0.4');
      const { rss, heapUsed } = process.memoryUsage();
      return [
        gauge('process_resident_memory_bytes', 'Resident memory of the manager.', rss),
        gauge('process_heap_bytes', 'Heap in use.', heapUsed),
        gauge('process_uptime_seconds', 'Seconds since the manager started.', process.uptime()),
      ].join('');
    },
  );

  async function databaseFault(): Promise<string | undefined> {
    try {
      await database.query({ text: 'SELECT 1' });
      return undefined;
    } catch {
      return 'the database is away';
    }
  }
}

function gauge(name: string, help: string, value: number): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${name} ${value}\n`;
}
