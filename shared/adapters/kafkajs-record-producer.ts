import { LockstepError } from '../errors.ts';
import type { RecordProducer } from '../ports/record-producer.ts';
import type { KafkaProducerConnection } from './kafkajs-producer-connection.ts';

/** Records that handlers pass on, over the same connection as dead letters: partitioned by key, as Java's clients do. */
export function kafkaJsRecordProducer(connection: KafkaProducerConnection): RecordProducer {
  return {
    async produce(records, giveUpAt) {
      if (records.length === 0) return;
      const end = await connection.send(records, giveUpAt);
      if (end.type === 'done') return;
      const topics = [...new Set(records.map(({ topic }) => topic))].join(', ');
      const late = end.type === 'late' ? ' in time' : '';
      const why = end.failure === undefined ? '' : `: ${end.failure.reason}`;
      throw new LockstepError(
        'PRODUCE_FAILED',
        `${records.length} records for ${topics} were not acknowledged${late}${why}`,
        end.failure === undefined ? undefined : { cause: end.failure.cause },
      );
    },
  };
}
