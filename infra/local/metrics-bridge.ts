import { type CloudWatchClient, type MetricDatum as Datum, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { type MetricDatum, metricsOfLogLine } from './emf.ts';
import type { MetricsPort } from './event-source/esm-metrics.ts';

/** CloudWatch takes this many in one request. https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html */
const DATA_PER_REQUEST = 1_000;

export interface MetricsBridge extends MetricsPort {
  /** Takes log lines of functions; what of them is embedded metrics becomes metrics. */
  ingest(logText: string): void;
  /** Takes one value. */
  add(datum: MetricDatum): void;
  /** Puts what has come since the last time; returns when alarms have been evaluated with it. */
  flush(): Promise<void>;
  /** Flushes for the last time. */
  stop(): Promise<void>;
}

export interface MetricsBridgeOptions {
  /** How often metrics are put and alarms evaluated. @default 1000 */
  readonly everyMs?: number;
  /** Called with what CloudWatch refuses. @default nothing is said */
  readonly onError?: (error: unknown) => void;
}

const SILENCE = { SampleCount: 1, Sum: 0, Minimum: 0, Maximum: 0 };

interface Sum {
  readonly namespace: string;
  readonly datum: { MetricName: string; Unit: Datum['Unit']; Dimensions: { Name: string; Value: string }[] };
  readonly values: { SampleCount: number; Sum: number; Minimum: number; Maximum: number };
}

/**
 * Turns the embedded-metric lines that functions print into metrics, which CloudWatch does by itself and MiniStack does not.
 * What comes within a second is put as one statistic set. MiniStack evaluates alarms only when something is put: so
 * something is, every second, and alarms on the functions' own metrics (which MiniStack raises) move too. It ignores
 * `TreatMissingData`, and an alarm whose metric falls silent would never move again: so silence is put as 0, which to each of
 * our alarms means what its missing data mean.
 */
export function startMetricsBridge(cloudwatch: CloudWatchClient, options: MetricsBridgeOptions = {}): MetricsBridge {
  const { everyMs = 1_000, onError = () => {} } = options;
  let sums = new Map<string, Sum>();
  /** Everything that was ever put: what of it is silent now is 0. */
  const known = new Map<string, Pick<Sum, 'namespace' | 'datum'>>();

  const add = ({ namespace, name, value, unit, dimensions }: MetricDatum): void => {
    const key = JSON.stringify([namespace, name, unit, dimensions]);
    const sum = sums.get(key);
    if (sum !== undefined) {
      sum.values.SampleCount += 1;
      sum.values.Sum += value;
      sum.values.Minimum = Math.min(sum.values.Minimum, value);
      sum.values.Maximum = Math.max(sum.values.Maximum, value);
      return;
    }
    const Dimensions = Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value }));
    const datum = { MetricName: name, Unit: unit as Datum['Unit'], Dimensions };
    known.set(key, { namespace, datum });
    sums.set(key, { namespace, datum, values: { SampleCount: 1, Sum: value, Minimum: value, Maximum: value } });
  };

  const put = async (): Promise<void> => {
    add({ namespace: 'Lockstep/Local', name: 'Tick', value: 1, unit: 'Count', dimensions: {} });
    const silent = [...known].filter(([key]) => !sums.has(key)).map(([, metric]) => ({ ...metric, values: SILENCE }));
    const taken = [...sums.values(), ...silent];
    sums = new Map();
    for (const [namespace, ofOne = []] of Object.entries(Object.groupBy(taken, (sum) => sum.namespace))) {
      for (let start = 0; start < ofOne.length; start += DATA_PER_REQUEST) {
        const MetricData = ofOne
          .slice(start, start + DATA_PER_REQUEST)
          .map(({ datum, values }) => ({ ...datum, StatisticValues: values, Timestamp: new Date() }));
        await cloudwatch.send(new PutMetricDataCommand({ Namespace: namespace, MetricData })).catch(onError);
      }
    }
  };

  // One after another: a flush that is asked for while another runs puts what came since.
  let last = Promise.resolve();
  const flush = (): Promise<void> => {
    last = last.then(put);
    return last;
  };
  let isPutting = false;
  const timer = setInterval(() => {
    if (isPutting) return;
    isPutting = true;
    void flush().finally(() => {
      isPutting = false;
    });
  }, everyMs);

  return {
    add,
    put: ({ timestampMs: _, ...metric }) => add(metric),
    ingest: (logText) => {
      for (const line of logText.split('\n')) for (const datum of metricsOfLogLine(line)) add(datum);
    },
    flush,
    stop: async () => {
      clearInterval(timer);
      await flush();
    },
  };
}
