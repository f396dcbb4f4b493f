import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface StatusServerOptions {
  host: string;
  port: number;
  isReady(): boolean;
  metrics: { contentType: string; text(): Promise<string> };
}

const TIMEOUTS = { headersTimeout: 5000, requestTimeout: 5000, connectionsCheckingInterval: 1000 } as const;
/** Enough for orchestrators, load balancers and Prometheus. */
const MAX_CONNECTIONS = 200;

/** Serves /health/live, /health/ready and /metrics without authentication, on a port separate from the stations' port. */
export async function startStatusServer(
  options: StatusServerOptions,
): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer(TIMEOUTS, (request, response) => {
    const answer = (status: number, body: string, type = 'application/json'): void => {
      response.writeHead(status, { 'content-type': type }).end(body);
    };
    if (request.url === '/health/live') answer(200, '{"status":"live"}');
    else if (request.url === '/health/ready') {
      if (options.isReady()) answer(200, '{"status":"ready"}');
      else answer(503, '{"status":"not ready","cause":"the broker is away, or the gateway is stopping"}');
    } else if (request.url === '/metrics') {
      const { metrics } = options;
      metrics.text().then(
        (text) => answer(200, text, metrics.contentType),
        (error: unknown) => answer(500, String(error), 'text/plain'),
      );
    } else answer(404, '{"status":"there are /health/live, /health/ready and /metrics"}');
  });
  server.maxConnections = MAX_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  return {
    url: `http://${options.host}:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
