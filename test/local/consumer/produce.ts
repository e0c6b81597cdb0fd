import type { IHeaders, Kafka } from 'kafkajs';

/** A record for a scripted handler. */
export interface Scripted {
  readonly id: string;
  readonly does: 'succeed' | 'exit' | 'hang' | 'spin' | 'fail' | 'refuse';
  readonly headers?: IHeaders;
  /** Anything else in the value. */
  readonly more?: Readonly<Record<string, unknown>>;
}

/** Ten records that succeed but for the fifth, which has `more` in its value. @returns in the order of a partition */
export function tenAround(prefix: string, does: Scripted['does'], more: Scripted['more'] = {}): Scripted[] {
  return Array.from({ length: 10 }, (_, index) =>
    index === 4 ? { id: `${prefix}-${index}`, does, more } : { id: `${prefix}-${index}`, does: 'succeed' },
  );
}

/** Produces to one partition, in one batch. */
export async function produce(kafka: Kafka, topic: string, partition: number, scripts: readonly Scripted[]) {
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  try {
    await producer.send({
      topic,
      acks: -1,
      messages: scripts.map(({ id, does, headers = {}, more = {} }) => ({
        partition,
        key: id,
        value: JSON.stringify({ id, does, ...more }),
        headers,
      })),
    });
  } finally {
    await producer.disconnect();
  }
}
