import type { KafkaEvent } from '../../shared/record/kafka-event.ts';
import { kafkaEvent, record } from '../../shared/testing/record.ts';

/** The shape of a batch. */
export interface BatchShape {
  readonly records: number;
  readonly partitions: number;
  /** `failing`: the middle record of the first partition cannot be applied. */
  readonly kind: 'fresh' | 'duplicates' | 'failing';
}

const NOTE = 'leave it with the neighbours at number twelve, they are usually at home after five. '
  .repeat(2)
  .slice(0, 165);

/** Batch number `batch` of orders: values of some 300 bytes, offsets that follow on from the batch before. */
export function ordersEvent({ records, partitions, kind }: BatchShape, batch: number, topic = 'orders'): KafkaEvent {
  const share = Math.max(1, Math.floor(records / partitions));
  const failing = kind === 'failing' ? Math.floor(share / 2) : -1;
  return kafkaEvent(
    Array.from({ length: records }, (_, index) => {
      const partition = Math.min(partitions - 1, Math.floor(index / share));
      const place = index - partition * share;
      const order = {
        orderId: `order-${batch}-${partition}-${place}`,
        customer: `customer-${(index * 7919) % 1_000}`,
        cents: 1_000 + index,
        createdAt: '2026-01-01T00:00:00.000Z',
        note: NOTE,
        ...(partition === 0 && place === failing && { fails: true }),
      };
      const offset = batch * share + place;
      return record({ topic, partition, offset, key: order.customer, value: order });
    }),
  );
}
