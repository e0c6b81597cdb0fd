/** A value for CloudWatch. */
export interface MetricDatum {
  readonly namespace: string;
  readonly name: string;
  readonly value: number;
  /** CloudWatch's name of the unit, for example `Count` or `Milliseconds`. */
  readonly unit: string;
  readonly dimensions: Readonly<Record<string, string>>;
}

/**
 * The metrics in one log line, if it is a document of CloudWatch's embedded metric format; otherwise none. A list gives one
 * datum for each value, and several dimension sets give one datum for each set.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export function metricsOfLogLine(line: string): MetricDatum[] {
  if (!line.includes('"_aws"')) return [];
  const document = parse(line.slice(line.indexOf('{')));
  const directives = recordOf(document['_aws'])['CloudWatchMetrics'];
  if (!Array.isArray(directives)) return [];
  return directives.flatMap((directive) => metricsOfDirective(recordOf(directive), document));
}

type Fields = Readonly<Record<string, unknown>>;

function metricsOfDirective(directive: Fields, document: Fields): MetricDatum[] {
  const { Namespace: namespace, Metrics: metrics, Dimensions: sets } = directive;
  if (typeof namespace !== 'string' || !Array.isArray(metrics)) return [];
  const dimensionSets = Array.isArray(sets) && sets.length > 0 ? sets : [[]];
  return metrics.map(recordOf).flatMap(({ Name: name, Unit: unit }) => {
    if (typeof name !== 'string') return [];
    const values = [document[name]].flat().filter((value) => typeof value === 'number');
    return dimensionSets.flatMap((set) => {
      const names: unknown[] = Array.isArray(set) ? set : [];
      const dimensions = Object.fromEntries(names.map((key) => [String(key), String(document[String(key)])]));
      const common = { namespace, name, unit: typeof unit === 'string' ? unit : 'None', dimensions };
      return values.map((value) => ({ ...common, value }));
    });
  });
}

function parse(text: string): Fields {
  try {
    return recordOf(JSON.parse(text));
  } catch {
    // Another program's line that contains `"_aws"`.
    return {};
  }
}

function recordOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}
