import { randomUUID } from 'node:crypto';
import type { Admin, Kafka } from 'kafkajs';
import type { Invocation, Invoker } from '../../../infra/local/event-source/invoker.ts';
import type { Mapping } from '../../../infra/local/event-source/mapping.ts';
import { createTopics } from '../../../infra/local/topics.ts';

const CLUSTER_ARN = 'arn:aws:kafka:eu-west-1:000000000000:cluster/local/5d2c1a34-9f0e-4c54-a7a7-0c9a3f6f2b11-1';
const FUNCTION_ARN = 'arn:aws:lambda:eu-west-1:000000000000:function:orders';

/** A mapping on a new topic of its own. */
export async function newMapping(
  admin: Admin,
  { partitions = 1, ...changes }: Partial<Mapping> & { partitions?: number } = {},
): Promise<Mapping> {
  const topic = `orders-${randomUUID().slice(0, 8)}`;
  await createTopics(admin, [{ topic, numPartitions: partitions }]);
  return {
    uuid: randomUUID(),
    functionArn: FUNCTION_ARN,
    eventSourceArn: CLUSTER_ARN,
    topic,
    consumerGroupId: `${topic}-group`,
    startingPosition: { type: 'TRIM_HORIZON' },
    batchSize: 100,
    batchingWindowMs: 0,
    reportsBatchItemFailures: true,
    ...changes,
  };
}

/** Produces values `0`, `1`, … to one partition, each with so many bytes of ballast. */
export async function produce(
  kafka: Kafka,
  topic: string,
  partition: number,
  count: number,
  { from = 0, ballast = 0 }: { from?: number; ballast?: number } = {},
): Promise<void> {
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  const headers = ballast > 0 ? { ballast: 'x'.repeat(ballast) } : {};
  for (let start = 0; start < count; start += 2_000) {
    const length = Math.min(2_000, count - start);
    const messages = Array.from({ length }, (_, index) => ({
      partition,
      value: String(from + start + index),
      headers,
    }));
    await producer.send({ topic, messages });
  }
  await producer.disconnect();
}

export async function committed(admin: Admin, { consumerGroupId, topic }: Mapping): Promise<number[]> {
  const [found] = await admin.fetchOffsets({ groupId: consumerGroupId, topics: [topic] });
  return (found?.partitions ?? []).sort((a, b) => a.partition - b.partition).map(({ offset }) => Number(offset));
}

/** One event, as a function sees it. */
export interface Seen {
  readonly partitions: readonly {
    readonly name: string;
    readonly partition: number;
    readonly offsets: number[];
    readonly values: string[];
  }[];
}

/** Nothing is success. */
export type Answer =
  | undefined
  | 'throw'
  | { readonly batchItemFailures: readonly [partition: string, offset: number][] };

export interface FakeFunction extends Invoker {
  /** Every event, in the order of their start. */
  readonly events: Seen[];
  /** Values of each partition in the order in which they were first seen. */
  firstSeen(partition: number): number[];
  /** All values seen, each once. */
  distinct(): number;
  /** Whether two invocations ever held one partition at once. */
  overlapped: boolean;
}

/** A function in this process that answers as it is told. */
export function fakeFunction(
  answer: (event: Seen, index: number) => Answer | Promise<Answer> = () => undefined,
): FakeFunction {
  const held = new Map<string, number>();
  const first = new Map<number, number[]>();
  const known = new Set<string>();
  const hold = (event: Seen, by: number) => {
    for (const { name } of event.partitions) held.set(name, (held.get(name) ?? 0) + by);
    if ([...held.values()].some((count) => count > 1)) fake.overlapped = true;
  };
  const fake: FakeFunction = {
    events: [],
    overlapped: false,
    firstSeen: (partition) => first.get(partition) ?? [],
    distinct: () => known.size,
    invoke: async (_, payload): Promise<Invocation> => {
      const event = seen(payload);
      hold(event, 1);
      const index = fake.events.push(event) - 1;
      for (const { partition, offsets, values } of event.partitions) {
        const order = first.get(partition) ?? [];
        first.set(partition, order);
        for (const [at, offset] of offsets.entries()) {
          if (known.has(`${partition}@${offset}`)) continue;
          known.add(`${partition}@${offset}`);
          order.push(Number(values[at]));
        }
      }
      const given = await answer(event, index);
      hold(event, -1);
      if (given === undefined) return { type: 'answered', payload: 'null' };
      if (given === 'throw') return { type: 'functionError', payload: '{"errorType":"Error","errorMessage":"thrown"}' };
      const batchItemFailures = given.batchItemFailures.map(([partition, offset]) => ({
        itemIdentifier: { partition, offset },
      }));
      return { type: 'answered', payload: JSON.stringify({ batchItemFailures }) };
    },
  };
  return fake;
}

function seen(payload: string): Seen {
  const { records } = JSON.parse(payload) as {
    records: Record<string, { partition: number; offset: number; value?: string }[]>;
  };
  return {
    partitions: Object.entries(records).map(([name, list]) => ({
      name,
      partition: list[0]?.partition ?? -1,
      offsets: list.map(({ offset }) => offset),
      values: list.map(({ value }) => (value === undefined ? '' : Buffer.from(value, 'base64').toString())),
    })),
  };
}

/** A promise and what settles it. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
