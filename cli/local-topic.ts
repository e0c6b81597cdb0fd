import type { Kafka } from 'kafkajs';
import { OperatorError } from '../shared/operator-errors.ts';

/** Checks what a command line names. @throws LockstepError COMMAND_LINE_INVALID where there is no such topic or partition */
export async function knownTopic(kafka: Kafka, topic: string, partition: number | undefined): Promise<void> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    const topics = (await admin.listTopics()).filter((name) => !name.startsWith('__'));
    if (!topics.includes(topic))
      throw invalid(`there is no topic \`${topic}\`. There are: ${topics.sort().join(', ') || 'none'}`);
    const [found] = (await admin.fetchTopicMetadata({ topics: [topic] })).topics;
    const count = found?.partitions.length ?? 0;
    if (partition !== undefined && partition >= count)
      throw invalid(`topic \`${topic}\` has the partitions 0 to ${count - 1}, and not ${partition}`);
  } finally {
    await admin.disconnect();
  }
}

function invalid(what: string): OperatorError {
  return new OperatorError('COMMAND_LINE_INVALID', what);
}
