import type { Tracer } from '../../ports/tracer.ts';

/**
 * Where the API of OpenTelemetry keeps what an SDK has registered.
 * https://github.com/open-telemetry/opentelemetry-js/blob/main/api/src/internal/global-utils.ts
 */
const OPENTELEMETRY = Symbol.for('opentelemetry.js.api.1');

/** A tracer, if an OpenTelemetry SDK is loaded. If not, nothing is loaded for it. */
export async function loadedTracer(): Promise<Tracer | undefined> {
  if (!(OPENTELEMETRY in globalThis)) return undefined;
  const { openTelemetryTracer } = await import('./opentelemetry-tracer.ts');
  return openTelemetryTracer();
}
