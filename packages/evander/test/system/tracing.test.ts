import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startTracing } from '@evander/process';
import type { EndTracing } from '@evander/process';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { apiOf, eventually, startServices } from './fixture.ts';
import type { Services } from './fixture.ts';
import { foreignStation } from './foreign-station.ts';

interface Span {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: number;
}
interface Export {
  resourceSpans: { scopeSpans: { scope: { name: string }; spans: Span[] }[] }[];
}

const spans: (Span & { by: string })[] = [];
let collector: Server;
let services: Services;
let endTracing: EndTracing;

beforeAll(async () => {
  collector = createServer((request, response) => {
    void (async () => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      for (const { scopeSpans } of (JSON.parse(body) as Export).resourceSpans)
        for (const { scope, spans: some } of scopeSpans)
          spans.push(...some.map((span) => ({ ...span, by: scope.name })));
      response.setHeader('content-type', 'application/json').end('{}');
    })();
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}/v1/traces`;
  // The exporter reads the environment itself.
  process.env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT = endpoint;
  endTracing = await startTracing(process.env, 'evander test');
  services = await startServices();
});
afterAll(async () => {
  await services.close();
  collector.closeAllConnections();
  collector.close();
  delete process.env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT;
});

test('one trace covers socket, MQTT and database and back, in both directions', async () => {
  const manager = await services.startManager();
  const gateway = await services.startGateway([manager]);
  const station = foreignStation(gateway, 'CP1');
  station.handle('ClearCache', async () => ({ status: 'Accepted' }));
  await station.connect();
  await station.call('BootNotification', { chargePointVendor: 'V', chargePointModel: 'M' });
  const api = apiOf(manager.apiUrl);
  await eventually(async () =>
    expect((await api('GET', '/stations/CP1')).body).toMatchObject({ connected: true }),
  );
  const cleared = await api('POST', '/stations/CP1/commands/ClearCache', {});
  expect(cleared.body).toMatchObject({ status: 'answered' });
  await station.close();
  await endTracing();

  const boot = oneTrace('BootNotification');
  expect(boot.root).toMatchObject({ by: '@evander/gateway', kind: KIND.server });
  const [handled] = childrenOf(boot.root, boot.spans);
  expect(handled).toMatchObject({ by: '@evander/manager', name: 'BootNotification', kind: KIND.consumer });
  expect(childrenOf(handled, boot.spans).every(({ kind }) => kind === KIND.client)).toBe(true);
  // Boots and frames of many stations share a write.
  const names = boot.spans.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(['frames (batch)', 'stations (batch)']));

  const command = oneTrace('ClearCache');
  expect(command.root).toMatchObject({ by: '@evander/manager', kind: KIND.producer });
  const sent = childrenOf(command.root, command.spans).find(({ by }) => by === '@evander/gateway');
  expect(sent).toMatchObject({ name: 'ClearCache', kind: KIND.client });
  expect(childrenOf(sent, command.spans)).toMatchObject([{ by: '@evander/manager', kind: KIND.consumer }]);
});

const KIND = { server: 2, client: 3, producer: 4, consumer: 5 };

/** The only trace with this root. */
function oneTrace(name: string): { root: Span; spans: Span[] } {
  const roots = spans.filter((span) => span.name === name && !span.parentSpanId);
  expect(roots).toHaveLength(1);
  const root = roots[0];
  if (!root) throw new Error(`no trace begins with ${name}`);
  return { root, spans: spans.filter(({ traceId }) => traceId === root.traceId) };
}

function childrenOf(parent: Span | undefined, among: Span[]): (Span & { by?: string })[] {
  return among.filter(({ parentSpanId }) => parent !== undefined && parentSpanId === parent.spanId);
}
