import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import type { LocalKafka } from '../../infra/local/kafka.ts';
import type { PlannedRecord } from './plan.ts';

/** What Kafka's own producer compresses with. */
export const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
export type Codec = (typeof CODECS)[number];

const SEPARATOR = '|';

/** Produces with Kafka's own client, in order, each record acknowledged by the broker. */
export async function produceWithJava(
  broker: LocalKafka,
  topic: string,
  codec: Codec,
  records: readonly PlannedRecord[],
): Promise<void> {
  const lines = records.map(({ key, value }) => `${key}${SEPARATOR}${value}\n`).join('');
  const settings = ['parse.key=true', `key.separator=${SEPARATOR}`].flatMap((one) => ['--property', one]);
  const args = ['--topic', topic, '--compression-codec', codec, '--request-required-acks', '-1', ...settings];
  const { code, output } = await java(broker, 'org.apache.kafka.tools.ConsoleProducer', args, lines);
  if (code !== 0 || /ERROR/.test(output))
    throw new Error(`Kafka's producer ended with ${code}: ${output.slice(-2_000)}`);
}

/** A record as Kafka's own client reads it. */
export interface ReadByJava {
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  readonly value: string;
}

/** All that a topic holds, without aborted transactions, as Kafka's own client reads it. */
export async function readWithJava(broker: LocalKafka, topic: string): Promise<ReadByJava[]> {
  const prints = ['print.partition=true', 'print.offset=true', 'print.key=true', `key.separator=${SEPARATOR}`];
  const settings = prints.flatMap((one) => ['--property', one]);
  const args = ['--topic', topic, '--from-beginning', '--isolation-level', 'read_committed', '--timeout-ms', '10000'];
  const { output } = await java(broker, 'org.apache.kafka.tools.consumer.ConsoleConsumer', [...args, ...settings], '');
  return output.split('\n').flatMap((line) => {
    const found = /^Partition:(\d+)\|Offset:(\d+)\|([^|]*)\|(.*)$/.exec(line);
    if (found === null) return [];
    const [, partition, offset, key = '', value = ''] = found;
    return [{ partition: Number(partition), offset: Number(offset), key, value }];
  });
}

async function java(
  { toolsClassPath = '', bootstrapServers }: LocalKafka,
  main: string,
  args: string[],
  input: string,
) {
  const all = ['-Xmx192m', '-cp', toolsClassPath, main, '--bootstrap-server', bootstrapServers, ...args];
  const child = spawn('java', all, { stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.end(input);
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await ended, output: `${output}\n${errors}` };
}
