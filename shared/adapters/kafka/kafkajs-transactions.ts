import type { Producer } from 'kafkajs';
import { LockstepError } from '../../errors.ts';
import { OperatorError } from '../../operator-errors.ts';
import type { Transactions } from '../../ports/transactions.ts';
import type { KafkaConnectionOptions } from './kafka-connection.ts';
import { readKafkaFailure } from './kafkajs-failure.ts';
import { kafkaJsHeaders } from './kafkajs-headers.ts';
import { foldingPartitioner } from './kafkajs-partitioner.ts';
import { KafkaJsSession } from './kafkajs-session.ts';
import { isMoment } from './kafkajs-topic-log.ts';

/** What a broker answers to a writer when another one has taken over. */
const FENCED = new Set(['INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED', 'INVALID_PRODUCER_ID_MAPPING']);
/** The broker first ends the transaction that the writer before left open. */
const PATIENCE_TRIES = 40;
/** Milliseconds after which the broker rolls back a transaction of a writer that is gone. */
const TRANSACTION_TIMEOUT_MS = 60_000;

/** @param transactionalId - two writers with the same id exclude each other */
export function kafkaJsTransactions(options: KafkaConnectionOptions, transactionalId: string): Transactions {
  let current: { readonly session: KafkaJsSession; readonly producer: Producer } | undefined;
  let turn = 0;

  const disconnect = async () => {
    const last = current;
    current = undefined;
    await last?.session.end(() => last.producer.disconnect());
  };

  const open = async () => {
    const session = await KafkaJsSession.open(options, turn++);
    const producer = session.kafka.producer({
      transactionalId,
      transactionTimeout: TRANSACTION_TIMEOUT_MS,
      idempotent: false,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner: foldingPartitioner,
    });
    current = { session, producer };
    await producer.connect();
    // kafkajs gets its producer id only with the first transaction; an empty one costs nothing.
    await (await producer.transaction()).abort();
  };

  return {
    async takeOver() {
      for (let tries = 1; ; tries++) {
        await disconnect();
        try {
          return await open();
        } catch (error) {
          const failure = readKafkaFailure(error);
          const { type, reason, cause } = failure;
          await disconnect();
          const passes = type === 'transient' || reason === 'CONCURRENT_TRANSACTIONS' || isMoment(failure);
          if (passes && tries < PATIENCE_TRIES) {
            await options.clock.sleep(Math.min(1_000, 50 * tries));
            continue;
          }
          const what = `${transactionalId} could not be taken over: ${reason}`;
          if (type === 'unreachable') throw new LockstepError('BROKER_UNREACHABLE', what, { cause });
          throw new OperatorError('REDRIVE_FAILED', what, { cause });
        }
      }
    },
    async commit(records) {
      if (current === undefined) throw new OperatorError('REDRIVE_FAILED', `${transactionalId} was not taken over`);
      try {
        const transaction = await current.producer.transaction();
        const byTopic = Map.groupBy(records, ({ topic }) => topic);
        await transaction.sendBatch({
          acks: -1,
          topicMessages: [...byTopic].map(([topic, some]) => ({
            topic,
            messages: some.map(({ key, value, headers, partition, timestamp }) => ({
              key,
              value,
              partition,
              headers: kafkaJsHeaders(headers),
              timestamp: String(timestamp),
            })),
          })),
        });
        await transaction.commit();
      } catch (error) {
        const { reason, cause } = readKafkaFailure(error);
        await disconnect();
        const code = FENCED.has(reason) ? 'REDRIVE_FENCED' : 'REDRIVE_FAILED';
        throw new OperatorError(code, `${records.length} records of ${transactionalId} were not committed: ${reason}`, {
          cause,
        });
      }
    },
    disconnect,
  };
}
