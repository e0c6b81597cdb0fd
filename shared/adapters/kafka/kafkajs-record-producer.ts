import { LockstepError } from '../../errors.ts';
import type { RecordProducer } from '../../ports/record-producer.ts';
import type { ReadFailure } from './kafkajs-failure.ts';
import type { KafkaProducerConnection } from './kafkajs-producer-connection.ts';

/** Records that handlers produce, over the same connection as dead letters. Partitioned by key, as with Java's clients. */
export function kafkaJsRecordProducer(connection: KafkaProducerConnection): RecordProducer {
  return {
    async produce(records, giveUpAt) {
      if (records.length === 0) return;
      const end = await connection.send(records, giveUpAt);
      if (end.type === 'done') return;
      const { failure } = end;
      const topics = [...new Set(records.map(({ topic }) => topic))].join(', ');
      const late = end.type === 'late' ? ' in time' : '';
      const why = failure === undefined ? '' : `: ${failure.reason}`;
      throw new LockstepError(
        passesByItself(failure) ? 'BROKER_UNREACHABLE' : 'PRODUCE_FAILED',
        `${records.length} ${records.length === 1 ? 'record' : 'records'} for ${topics} not acknowledged${late}${why}`,
        failure === undefined ? undefined : { cause: failure.cause },
      );
    },
  };
}

/** Whether the same records may be accepted later. A topic that does not exist within seconds is not being created. */
function passesByItself(failure: ReadFailure | undefined): boolean {
  if (failure === undefined) return true;
  const { type, reason } = failure;
  return type === 'unreachable' || (type === 'transient' && reason !== 'UNKNOWN_TOPIC_OR_PARTITION');
}
