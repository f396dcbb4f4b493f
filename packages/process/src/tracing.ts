/** Ends tracing: what is collected is sent before it resolves. */
export type EndTracing = () => Promise<void>;

/**
 * Sends OpenTelemetry traces over OTLP/HTTP when OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is set; the SDK is
 * not even loaded otherwise. The other OTEL_ variables (headers, sampler, service name) mean what OpenTelemetry says of them.
 */
export async function startTracing(env: NodeJS.ProcessEnv, name: string): Promise<EndTracing> {
  if (!env.OTEL_EXPORTER_OTLP_ENDPOINT && !env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT)
    return () => Promise.resolve();
  const [{ NodeTracerProvider, BatchSpanProcessor }, { OTLPTraceExporter }, { resourceFromAttributes }] =
    await Promise.all([
      import('@opentelemetry/sdk-trace-node'),
      import('@opentelemetry/exporter-trace-otlp-http'),
      import('@opentelemetry/resources'),
    ]);
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ 'service.name': env.OTEL_SERVICE_NAME ?? name.replaceAll(' ', '-') }),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
  });
  // With the async context and the W3C propagator, as the provider brings them.
  provider.register();
  return () => provider.shutdown();
}
