/** Ends tracing; resolves after the collected spans are sent. */
export type EndTracing = () => Promise<void>;

/**
 * Sends OpenTelemetry traces over OTLP/HTTP if OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is set; otherwise the SDK
 * is not even loaded. The other OTEL_ variables (headers, sampler, service name) have their standard meaning.
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
  // Includes the provider's async context manager and W3C propagator.
  provider.register();
  return () => provider.shutdown();
}
