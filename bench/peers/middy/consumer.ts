import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import type { RawRecord } from '../../../shared/record/delivered-record.ts';
import type { KafkaEvent } from '../../../shared/record/kafka-event.ts';
import { type BatchAnswer, inOrder } from '../common/batch-answer.ts';
import { applyOrder, type Order } from '../common/order.ts';
import type { KeyedBy } from '../common/peer.ts';
import type { SeenOrders } from './seen-orders.ts';

interface ParsedRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly order: Order;
}

/** A middy handler with idempotency written by hand, record by record: what teams write before they use a library. */
export function middyConsumer(keyedBy: KeyedBy, seen: SeenOrders) {
  const idOf = ({ topic, partition, offset, order }: ParsedRecord) =>
    keyedBy === 'position' ? `${topic}-${partition}@${offset}` : order.orderId;
  return middy<KafkaEvent, BatchAnswer, Error, Context>()
    .use({
      after: ({ event, response }) => {
        const records = Object.values(event.records).flat().length;
        const failed = response?.batchItemFailures.length ?? 0;
        console.log(JSON.stringify({ handled: records - failed, failed }));
      },
    })
    .handler(async (event, context) => {
      const records = parsed(event);
      return inOrder(records, async (record) => {
        const id = idOf(record);
        if ((await seen.take(id, Date.now() + context.getRemainingTimeInMillis())) === 'done') return;
        try {
          await applyOrder(record.order);
        } catch (error) {
          await seen.giveBack(id);
          throw error;
        }
        await seen.done(id);
      });
    });
}

function parsed({ records }: KafkaEvent): ParsedRecord[] {
  return Object.values(records).flatMap((own) => own.map(parse));
}

function parse({ topic, partition, offset, value }: RawRecord): ParsedRecord {
  return { topic, partition, offset, order: JSON.parse(Buffer.from(value ?? '', 'base64').toString()) };
}
