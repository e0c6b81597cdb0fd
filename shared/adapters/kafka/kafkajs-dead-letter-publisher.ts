import { recordBytes } from '../../decide/record-size.ts';
import { LockstepError } from '../../errors.ts';
import type { DeadLetter, DeadLetterPublisher } from '../../ports/dead-letter-publisher.ts';
import { positionName } from '../../record/item-identifier.ts';
import type { KafkaProducerConnection } from './kafkajs-producer-connection.ts';

/**
 * Dead letters over a Kafka connection: to the partition with the number of the record's own where the topic has it, folded
 * into what it has otherwise; with the record's own timestamp, unless the topic refuses that.
 *
 * @param topic - the dead-letter topic
 */
export function kafkaJsDeadLetterPublisher(topic: string, connection: KafkaProducerConnection): DeadLetterPublisher {
  return {
    async publish(letter, giveUpAt) {
      const { key, value, headers, timestamp, origin } = letter;
      const sent = { topic, key, value, headers, partition: origin.partition };
      let end = await connection.send([{ ...sent, timestamp }], giveUpAt);
      if (end.type === 'failed' && end.failure.reason === 'INVALID_TIMESTAMP') {
        // A producer's clock runs ahead, and the topic takes nothing from the future: `x-original-timestamp` still tells.
        end = await connection.send([sent], giveUpAt);
      }
      if (end.type === 'done') return;
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
