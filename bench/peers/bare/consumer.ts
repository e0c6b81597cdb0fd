import type { RawRecord } from '../../../shared/record/delivered-record.ts';
import type { KafkaEvent } from '../../../shared/record/kafka-event.ts';
import type { BatchAnswer } from '../common/batch-answer.ts';
import { applyOrder, type Order } from '../common/order.ts';

/** Without any guarantee: parse, apply, and get the whole batch again if one record fails. The lower limit. */
export async function bareConsumer(event: KafkaEvent): Promise<BatchAnswer> {
  for (const records of Object.values(event.records)) for (const record of records) await applyOrder(parse(record));
  return { batchItemFailures: [] };
}

function parse({ value }: RawRecord): Order {
  return JSON.parse(Buffer.from(value ?? '', 'base64').toString());
}
