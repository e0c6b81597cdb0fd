import { Console } from 'node:console';
import type { Context } from 'aws-lambda';
import type { ConsumerEnvironment } from '../environment.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { embeddedMetrics } from './embedded-metrics.ts';
import { logLines } from './log-lines.ts';
import { systemClock } from './system-clock.ts';

/** Telemetry as lines of JSON: the log, and CloudWatch's embedded metric format. */
export interface ConsoleTelemetry extends Telemetry {
  /** Names the invocation on every line. */
  begin(context: Context): void;
  /** Writes the metrics of the invocation out. */
  flush(): void;
}

/** Lambda hands to CloudWatch what a function writes to its standard output and error. */
export function consoleTelemetry(
  { metricsNamespace, serviceName }: Pick<ConsumerEnvironment, 'metricsNamespace' | 'serviceName'>,
  variables: Readonly<Record<string, string | undefined>>,
): ConsoleTelemetry {
  // One of our own: Lambda's writes a time, an id and a level before each line, and then it is no JSON.
  const writer = new Console(process.stdout, process.stderr);
  const { log, begin } = logLines({ service: serviceName, variables, clock: systemClock, writer });
  const { count, flush } = embeddedMetrics({
    namespace: metricsNamespace,
    service: serviceName,
    clock: systemClock,
    write: (line) => writer.log(line),
  });
  return { log, begin, count, flush };
}
