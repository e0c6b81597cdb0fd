import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { Command, InvalidArgumentError } from 'commander';
import type { Message } from 'kafkajs';
import { OperatorError } from '../shared/operator-errors.ts';
import { positionName } from '../shared/record/item-identifier.ts';
import { type CommonOptions, optionsOf, print } from './context.ts';
import { example } from './example.ts';
import { localKafka } from './local-cloud.ts';
import { knownTopic } from './local-topic.ts';
import { someText, wholeNumber } from './numbers.ts';

interface ProduceOptions extends CommonOptions {
  readonly value?: string;
  readonly file?: string;
  readonly lines?: boolean;
  readonly tombstone?: boolean;
  readonly key?: string;
  readonly keyFrom?: string;
  readonly header: readonly (readonly [string, string])[];
  readonly partition?: number;
  readonly kafka?: string;
}

/** Records of one request. */
const CHUNK = 500;

export const produce = new Command('produce')
  .description(
    'Writes records to a topic of the local cloud: one value, or one a line. Without --value and --file it reads standard input.',
  )
  .argument('<topic>', 'an existing topic', someText)
  .option('--value <text>', 'the value')
  .option('--file <path>', 'the file with the value, byte for byte', someText)
  .option('--lines', 'each line of the file, or of standard input, is a value')
  .option('--tombstone', 'no value, as for a deleted key')
  .option('--key <text>', 'the key of every record')
  .option('--key-from <field>', 'take the key from this field of the JSON value', someText)
  .option('--header <name=value>', 'a header; may be given several times', header, [])
  .option('--partition <number>', 'the partition; otherwise the key decides', wholeNumber(0))
  .option('--kafka <servers>', 'this broker, as host:port, instead of that of `lockstep dev`', someText)
  .addHelpText(
    'after',
    example(
      `lockstep produce orders --key c-1 --value '{"orderId":"o-1","amount":5}'`,
      'lockstep produce orders --lines --key-from orderId --file orders.jsonl',
      'cat order.avro | lockstep produce orders --key c-1',
    ),
  )
  .action(async (topic: string, _, command: Command) => {
    const options = optionsOf<ProduceOptions>(command);
    const messages = messagesOf(await valuesOf(options), options);
    const { kafka } = await localKafka('lockstep-produce', options.kafka);
    const producer = kafka.producer({ allowAutoTopicCreation: false });
    await using connections = new AsyncDisposableStack();
    connections.defer(() => producer.disconnect());
    await knownTopic(kafka, topic, options.partition);
    await producer.connect();
    const written: string[] = [];
    for (let from = 0; from < messages.length; from += CHUNK) {
      const sent = await producer.send({ topic, acks: -1, messages: messages.slice(from, from + CHUNK) });
      for (const { partition, baseOffset } of sent)
        written.push(positionName({ topic, partition, offset: Number(baseOffset) }));
    }
    const answer = { topic, records: messages.length, first: written };
    print(options, answer, ({ records, first }) =>
      records === 1 ? `${first[0]}` : `${records} records, from ${first.join(', ')}`,
    );
  });

/** @throws LockstepError COMMAND_LINE_INVALID */
async function valuesOf(options: ProduceOptions): Promise<(Buffer | null)[]> {
  const { value, file, lines, tombstone } = options;
  if ([value, file, tombstone].filter((one) => one !== undefined).length > 1)
    throw invalid('expected one of --value, --file and --tombstone');
  if (tombstone) return [null];
  const bytes =
    value !== undefined ? Buffer.from(value) : file !== undefined ? await bytesOf(file) : await buffer(process.stdin);
  if (!lines) return [bytes];
  const values = bytes
    .toString('utf8')
    .split('\n')
    .filter((line) => line.trim() !== '');
  if (values.length === 0) throw invalid('expected at least one line');
  return values.map((line) => Buffer.from(line));
}

async function bytesOf(file: string): Promise<Buffer> {
  return readFile(file).catch((cause) => {
    throw invalid(`--file names ${file}, which cannot be read`, cause);
  });
}

function messagesOf(values: readonly (Buffer | null)[], options: ProduceOptions): Message[] {
  const { key, keyFrom, partition } = options;
  if (key !== undefined && keyFrom !== undefined) throw invalid('expected --key or --key-from, not both');
  // Several headers of one name are a list, as kafkajs takes them.
  const headers: Record<string, string | string[]> = Object.create(null);
  for (const [name, value] of options.header) headers[name] = [...[headers[name] ?? []].flat(), value];
  return values.map((value, index) => ({
    value,
    key: keyFrom === undefined ? (key ?? null) : fieldOf(value, keyFrom, index + 1),
    ...(options.header.length > 0 && { headers: { ...headers } }),
    ...(partition !== undefined && { partition }),
  }));
}

function fieldOf(value: Buffer | null, field: string, line: number): string {
  try {
    const found: unknown = JSON.parse(value?.toString('utf8') ?? 'null')?.[field];
    if (typeof found === 'string' || typeof found === 'number') return String(found);
  } catch {
    // It is no JSON: the same remedy.
  }
  throw invalid(`--key-from names \`${field}\`, and record ${line} is no JSON object with a text or number there`);
}

function header(text: string, before: readonly (readonly [string, string])[]): readonly (readonly [string, string])[] {
  const [name, value] = text.split(/=(.*)/s);
  if (name && value !== undefined) return [...before, [name, value]];
  throw new InvalidArgumentError('Expected a header as name=value.');
}

function invalid(what: string, cause?: unknown): OperatorError {
  return new OperatorError('COMMAND_LINE_INVALID', what, { cause });
}
