import { recordBytes } from '../../decide/record-size.ts';
import { LockstepError } from '../../errors.ts';
import type { DeadLetter, DeadLetterPublisher } from '../../ports/dead-letter-publisher.ts';
import type { Log } from '../../ports/telemetry.ts';
import { positionName } from '../../record/item-identifier.ts';
import type { KafkaProducerConnection, Written } from './kafkajs-producer-connection.ts';

/**
 * Writes dead letters over a Kafka connection. A dead letter goes to the partition with the number of its record's partition,
 * or to that number modulo the topic's partitions. It keeps the record's timestamp, unless the topic refuses that. If the topic
 * keeps this timestamp, it may delete the dead letter of an old record at once; this is logged as a warning once.
 *
 * @param topic - the dead-letter topic
 */
export function kafkaJsDeadLetterPublisher(
  topic: string,
  connection: KafkaProducerConnection,
  log?: Pick<Log, 'warn'>,
): DeadLetterPublisher {
  let isChecked = false;
  const check = ({ stampedOnAppend }: Written) => {
    if (isChecked) return;
    isChecked = true;
    if (stampedOnAppend) return;
    log?.warn(
      'the dead-letter topic keeps the time of each record, so that the dead letter of an old record can expire at once. Set `message.timestamp.type=LogAppendTime` on the topic',
      { deadLetterTopic: topic },
    );
  };
  return {
    async publish(letter, giveUpAt) {
      const { key, value, headers, timestamp, origin } = letter;
      const sent = { topic, key, value, headers, partition: origin.partition };
      let end = await connection.send([{ ...sent, timestamp }], giveUpAt);
      if (end.type === 'failed' && end.failure.reason === 'INVALID_TIMESTAMP') {
        // A producer's clock is ahead, and the topic refuses timestamps in the future. `x-original-timestamp` keeps the time.
        end = await connection.send([sent], giveUpAt);
      }
      if (end.type === 'done') return check(end.value);
      const { failure } = end;
      const options = failure === undefined ? undefined : { cause: failure.cause };
      const why = failure === undefined ? '' : `: ${failure.reason}`;
      const what = `${describe(topic, letter)} was not acknowledged${end.type === 'late' ? ' in time' : ''}${why}`;
      const isUnreachable = failure === undefined || failure.type === 'unreachable';
      throw new LockstepError(isUnreachable ? 'BROKER_UNREACHABLE' : 'DEAD_LETTER_REFUSED', what, options);
    },
    disconnect: () => connection.disconnect(),
  };
}

function describe(topic: string, letter: DeadLetter): string {
  const { origin } = letter;
  return `the letter of ${positionName(origin)} (${recordBytes(letter)} bytes, topic ${topic}, partition ${origin.partition})`;
}
