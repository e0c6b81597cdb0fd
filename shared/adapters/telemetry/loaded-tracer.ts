import type { Tracer } from '../../ports/tracer.ts';

/** Where OpenTelemetry's API keeps what an SDK has registered. https://github.com/open-telemetry/opentelemetry-js/blob/main/api/src/internal/global-utils.ts */
const OPENTELEMETRY = Symbol.for('opentelemetry.js.api.1');

/** A tracer where an OpenTelemetry SDK is loaded; where none is, nothing is loaded for it either. */
export async function loadedTracer(): Promise<Tracer | undefined> {
  if (!(OPENTELEMETRY in globalThis)) return undefined;
  const { openTelemetryTracer } = await import('./opentelemetry-tracer.ts');
  return openTelemetryTracer();
}
