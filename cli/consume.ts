import { setTimeout as sleep } from 'node:timers/promises';
import { Command, Option } from 'commander';
import { kafkaJsTopicLog } from '../shared/adapters/kafka/kafkajs-topic-log.ts';
import { systemClock } from '../shared/adapters/system/system-clock.ts';
import type { OriginalRecordAt } from '../shared/ports/original-reader.ts';
import type { PartitionBounds } from '../shared/ports/topic-log.ts';
import { positionName } from '../shared/record/item-identifier.ts';
import { type CommonOptions, optionsOf } from './context.ts';
import { example } from './example.ts';
import { localKafka } from './local-cloud.ts';
import { knownTopic } from './local-topic.ts';
import { someText, wholeNumber } from './numbers.ts';
import { SILENT } from './silent-log.ts';
import { visible, visibleJson } from './visible.ts';

interface ConsumeOptions extends CommonOptions {
  readonly from: 'beginning' | 'end';
  readonly count?: number;
  readonly follow?: boolean;
  readonly partition?: number;
  readonly values?: boolean;
  readonly kafka?: string;
}

/** Kafka's own answer to a fetch comes within this time, or never. */
const ANSWERS_WITHIN_MS = 30_000;
const LOOK_AGAIN_MS = 200;

export const consume = new Command('consume')
  .description(
    'Shows the records of a topic of the local cloud: position, key and headers; values only with --values. It joins no group.',
  )
  .argument('<topic>', 'an existing topic', someText)
  .addOption(new Option('--from <where>', 'where to begin').choices(['beginning', 'end']).default('beginning'))
  .option('--count <number>', 'stop after this many records', wholeNumber(1))
  .option('--follow', 'wait for further records, until Ctrl-C or --count')
  .option('--partition <number>', 'only this partition', wholeNumber(0))
  .option('--values', 'show the values as well')
  .option('--kafka <servers>', 'this broker, as host:port, instead of that of `lockstep dev`', someText)
  .addHelpText(
    'after',
    example(
      'lockstep consume OrdersStack-Orders-dead-letters --values',
      'lockstep consume orders --from end --follow --json',
    ),
  )
  .action(async (topic: string, _, command: Command) => {
    const options = optionsOf<ConsumeOptions>(command);
    const { brokers, kafka } = await localKafka('lockstep-consume', options.kafka);
    await knownTopic(kafka, topic, options.partition);
    const log = kafkaJsTopicLog({
      brokers: () => brokers.join(','),
      authentication: { auth: 'none' },
      clock: systemClock,
      log: SILENT,
      clientId: 'lockstep-consume',
    });
    await using connections = new AsyncDisposableStack();
    connections.defer(() => log.disconnect());
    const bounds = async () =>
      (await log.bounds(topic, systemClock.now() + ANSWERS_WITHIN_MS)).filter(
        ({ partition }) => options.partition === undefined || partition === options.partition,
      );
    const next = new Map<number, number>();
    const startOf = ({ partition, start, end }: PartitionBounds) =>
      next.get(partition) ?? (options.from === 'end' ? end : start);
    let shown = 0;
    for (;;) {
      const known = await bounds();
      for (const found of known) {
        const { partition, end } = found;
        const first = startOf(found);
        next.set(partition, Math.max(first, end));
        if (first >= end) continue;
        const range = { from: first, to: end - 1 };
        const giveUpAt = systemClock.now() + ANSWERS_WITHIN_MS;
        for await (const { records } of log.passThrough({ topic, partition }, range, giveUpAt))
          for (const record of records) {
            console.log(shownAs(options, topic, partition, record));
            shown++;
            if (shown === options.count) return;
          }
      }
      if (!options.follow) return;
      await sleep(LOOK_AGAIN_MS);
    }
  });

/** What a producer wrote may be anything: nothing of it reaches the terminal unescaped. */
function shownAs(
  options: ConsumeOptions,
  topic: string,
  partition: number,
  { offset, record }: OriginalRecordAt,
): string {
  const position = positionName({ topic, partition, offset });
  const key = record.key?.toString('utf8') ?? null;
  const headers = record.headers.map(({ name, value }) => [name, value.toString('utf8')] as const);
  const value = record.value?.toString('utf8') ?? null;
  const at = new Date(record.timestamp).toISOString();
  if (options.json)
    return visibleJson({ position, at, key, headers: Object.fromEntries(headers), ...(options.values && { value }) });
  const parts = [position, at, `key=${key}`, ...headers.map(([name, text]) => `${name}=${short(text)}`)];
  return visible([...parts, ...(options.values ? [`value=${value}`] : [])].join('  '));
}

/** A header may be a whole stack: `--json` shows all of it. */
function short(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}
