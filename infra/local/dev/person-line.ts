import { type Fields, fields } from '../stack-template.ts';

/** Fields of a log line that say nothing to who sits before it. */
const PLATFORM =
  /^(level|message|timestamp|service|cold_start|sampling_rate|xray_trace_id|function_.*|requestId|topic|partition|offset|position|attempt|error|text|stage)$/;
const PLATFORM_LINE =
  /^(START|END|REPORT|INIT_START|EXTENSION) |^\(node:\d+\) .*DeprecationWarning|^\(Use `node --trace-/;
const MARK: Readonly<Record<string, string>> = { WARN: '!', ERROR: '✖', CRITICAL: '✖' };

/** The counts of a batch, as the metrics name them, and what a person calls them. */
const COUNTS = {
  RecordsHandled: 'handled',
  RecordsDuplicate: 'duplicate',
  AttemptsFailed: 'failed attempts',
  RecordsDeadLettered: 'dead-lettered',
  Interruptions: 'interrupted',
  RecordsParked: 'parked',
  RecordsNotAttempted: 'waiting',
} as const;

/**
 * A line that a function printed, as a person reads it: one line for a batch, and one for each record that failed.
 *
 * @returns `undefined` for lines of the platform and for batches of nothing
 */
export function personLine(line: string): string | undefined {
  if (line === '' || PLATFORM_LINE.test(line)) return undefined;
  const document = documentOf(line);
  if (document === undefined) return line;
  if (document['_aws'] !== undefined) return batchLine(document);
  const { level, message } = document;
  if (level === undefined || message === undefined) return line;
  const { topic, partition, offset, attempt, error, text } = document;
  const place = topic === undefined || offset === undefined ? '' : `${topic}-${partition}@${offset} `;
  const words = [
    typeof attempt === 'number' && attempt > 1 ? `attempt ${attempt}` : undefined,
    errorText(error, text),
    ...Object.entries(document)
      .filter(([name, value]) => !PLATFORM.test(name) && value !== undefined)
      .map(([name, value]) => `${name}=${typeof value === 'object' ? JSON.stringify(value) : value}`),
  ].filter((word) => word !== undefined);
  const details = words.length === 0 ? '' : ` (${words.join(', ')})`;
  return `${MARK[String(level)] ?? '·'} ${place}${message}${details}`;
}

function batchLine(document: Fields): string | undefined {
  const counts = Object.entries(COUNTS).flatMap(([name, word]) => {
    const count = sumOf(document[name]);
    return count > 0 ? [`${count} ${word}`] : [];
  });
  return counts.length === 0 ? undefined : `✔ ${counts.join(', ')}`;
}

function sumOf(value: unknown): number {
  return [value].flat().reduce<number>((sum, one) => sum + (typeof one === 'number' ? one : 0), 0);
}

/** An attempt names the class of its error, and its text. Other lines have the error as a whole. */
function errorText(error: unknown, text: unknown): string | undefined {
  if (error === undefined) return typeof text === 'string' ? text : undefined;
  if (typeof error === 'string') return typeof text === 'string' ? `${error}: ${text}` : error;
  const { name, message, location } = fields(error);
  const said = [name, message].filter((part) => typeof part === 'string').join(': ');
  return typeof location === 'string' && location !== '' ? `${said} at ${location}` : said;
}

function documentOf(line: string): Fields | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return fields(JSON.parse(line));
  } catch {
    return undefined;
  }
}
