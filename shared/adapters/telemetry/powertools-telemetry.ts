import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { Context } from 'aws-lambda';
import type { ConsumerEnvironment } from '../../environment.ts';
import type { Log, LogFields, MetricName, Telemetry } from '../../ports/telemetry.ts';

/** Telemetry with Powertools: JSON lines, and CloudWatch's embedded metric format. */
export interface PowertoolsTelemetry extends Telemetry {
  /** Adds the request id to every line. */
  begin(context: Context): void;
  /** Writes the metrics of the invocation. */
  flush(): void;
}

/** These count for another metric, too, which one alarm watches for all of them. */
const ALSO: Partial<Record<MetricName, MetricName>> = {
  PartitionsFull: 'PartitionsHalted',
  ReplayHalted: 'PartitionsHalted',
  FloodBreakerOpen: 'PartitionsHalted',
  ParkedKeysFull: 'PartitionsHalted',
  LedgerUnavailable: 'PartitionsHalted',
  RecordsNotRedelivered: 'LossSuspected',
  TopicsRecreated: 'LossSuspected',
};

/** https://docs.aws.amazon.com/powertools/typescript/latest/ */
export function powertoolsTelemetry({
  metricsNamespace,
  serviceName,
  stackName,
}: ConsumerEnvironment): PowertoolsTelemetry {
  const logger = new Logger({ serviceName });
  // Stacks of one account may have consumers of one name.
  const metrics = new Metrics({
    namespace: metricsNamespace,
    serviceName,
    ...(stackName && { defaultDimensions: { stack: stackName } }),
  });
  const counts = new Map<MetricName, number>();
  const line = (level: 'debug' | 'info' | 'warn' | 'error') => (text: string, fields?: LogFields) => {
    if (fields === undefined) logger[level](text);
    else logger[level](text, { ...fields });
  };
  const log: Log = { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
  const count = (metric: MetricName, value = 1) => {
    const known = counts.get(metric) ?? 0;
    counts.set(metric, metric.endsWith('Ms') ? Math.max(known, value) : known + value);
  };
  return {
    log,
    count,
    begin: (context) => logger.addContext(context),
    flush: () => {
      for (const [metric, value] of [...counts]) {
        const also = ALSO[metric];
        if (also !== undefined) count(also, value);
      }
      // Summed before: a call of the metrics library for each record would cost more than all other work for it.
      for (const [metric, value] of counts)
        metrics.addMetric(metric, metric.endsWith('Ms') ? MetricUnit.Milliseconds : MetricUnit.Count, value);
      counts.clear();
      metrics.publishStoredMetrics();
    },
  };
}
