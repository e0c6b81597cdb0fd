import type { Order } from '../../../functions/orders/order.ts';

/** A record that the demo produces. */
export interface PlannedRecord {
  readonly partition: number;
  readonly key: string;
  readonly value: string;
  /** Absent for the poison record. */
  readonly orderId?: string;
}

export interface DemoPlan {
  /** In the order in which they are produced. */
  readonly records: readonly PlannedRecord[];
  readonly orderIds: readonly string[];
  /** Its credit check fails twice. */
  readonly flaky: string;
  /** Produced twice, the second time to another partition. */
  readonly twice: string;
  readonly poison: PlannedRecord;
}

export const DEMO_PARTITIONS = 3;

/** Where among the orders the special ones are. */
const FLAKY = 300;
const TWICE = 601;
const TWICE_AGAIN = 1_201;
const POISON = 902;

/** The demo's orders over three partitions, one after another, with one that is produced twice and one record that is no order. */
export function demoPlan(orderCount: number): DemoPlan {
  const orders = Array.from({ length: orderCount }, (_, index) => orderRecord(index));
  const poison: PlannedRecord = {
    partition: POISON % DEMO_PARTITIONS,
    key: 'customer-poison',
    value: JSON.stringify({ orderId: 'order-poison', customerId: 'customer-poison', amount: 'a lot', currency: 'EUR' }),
  };
  const again = { ...orderRecord(TWICE), partition: (TWICE + 1) % DEMO_PARTITIONS };
  const records = orders.flatMap((record, index) => {
    if (index === POISON) return [poison, record];
    return index === TWICE_AGAIN ? [again, record] : [record];
  });
  return { records, orderIds: orders.map(({ orderId }) => orderId), flaky: idOf(FLAKY), twice: idOf(TWICE), poison };
}

function orderRecord(index: number): PlannedRecord & { readonly orderId: string } {
  const order: Order = {
    orderId: idOf(index),
    customerId: `customer-${index % 97}`,
    amount: 100 + index,
    currency: 'EUR',
  };
  return {
    partition: index % DEMO_PARTITIONS,
    key: order.customerId,
    value: JSON.stringify(order),
    orderId: order.orderId,
  };
}

function idOf(index: number): string {
  return `order-${String(index).padStart(4, '0')}`;
}
