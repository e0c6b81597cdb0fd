import { IdempotencyConfig, makeIdempotent } from '@aws-lambda-powertools/idempotency';
import type { BasePersistenceLayer } from '@aws-lambda-powertools/idempotency/persistence';
import { kafkaConsumer, SchemaType } from '@aws-lambda-powertools/kafka';
import type { ConsumerRecord, MSKEvent } from '@aws-lambda-powertools/kafka/types';
import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { Context } from 'aws-lambda';
import { type BatchAnswer, inOrder } from '../common/batch-answer.ts';
import { applyOrder, type Order } from '../common/order.ts';
import type { KeyedBy } from '../common/peer.ts';

const EXPRESSIONS = { position: '[topic, partition, offset]', orderId: 'value.orderId' } as const;

/**
 * As in Powertools' documentation: its Kafka consumer parses, and `makeIdempotent` wraps each record. The key is topic, partition
 * and offset, or a field of the order. Powertools has no partial answer for Kafka batches, so that part is written by hand.
 * https://docs.aws.amazon.com/powertools/typescript/latest/features/kafka/#idempotency
 */
export function powertoolsConsumer(keyedBy: KeyedBy, persistenceStore: BasePersistenceLayer) {
  const logger = new Logger({ serviceName: 'orders' });
  const metrics = new Metrics({ namespace: 'Bench', serviceName: 'orders' });
  const config = new IdempotencyConfig({ eventKeyJmesPath: EXPRESSIONS[keyedBy] });
  const applyOnce = makeIdempotent(
    async (record: ConsumerRecord<unknown, Order>) => {
      await applyOrder(record.value);
    },
    { persistenceStore, config },
  );
  return kafkaConsumer<unknown, Order>(
    async ({ records }, context) => {
      logger.addContext(context);
      config.registerLambdaContext(context);
      const answer = await inOrder(records, applyOnce);
      const failed = answer.batchItemFailures.length;
      metrics.addMetric('RecordsHandled', MetricUnit.Count, records.length - failed);
      if (failed > 0) logger.warn('records must come again', { failed });
      metrics.publishStoredMetrics();
      return answer;
    },
    { value: { type: SchemaType.JSON } },
  ) as (event: MSKEvent, context: Context) => Promise<BatchAnswer>;
}
