import { type ConsumerOptions, json, lockstepConsumer } from '../../../../shared/lockstep-consumer.ts';
import type { CommonOptions } from '../../../../shared/options.ts';
import type { Scenario } from '../../../../shared/testing/explore/scenario.ts';
import { record } from '../../../../shared/testing/record.ts';

/** What the records of these tests say. */
export interface Order {
  readonly id: string;
  readonly account: string;
  readonly amount: number;
}

export type OnOrder = NonNullable<ConsumerOptions<Order>['onRecord']>;
export type OnOrders = NonNullable<ConsumerOptions<Order>['onBatch']>;

/** A bank, a table, a payment API and a bus in memory: what a handler may reach. */
export class Shop {
  readonly balances: Record<string, number> = {};
  readonly rows = new Map<string, Order>();
  readonly charges: string[] = [];
  readonly charged = new Map<string, number>();
  readonly published: string[] = [];
  readonly lists = new Map<string, readonly string[]>();

  async balance(account: string): Promise<number> {
    return this.balances[account] ?? 0;
  }

  async setBalance(account: string, amount: number): Promise<void> {
    this.balances[account] = amount;
  }

  /** ADD of DynamoDB: not idempotent. */
  async add(account: string, amount: number): Promise<void> {
    this.balances[account] = (this.balances[account] ?? 0) + amount;
  }

  async has(id: string): Promise<boolean> {
    return this.rows.has(id);
  }

  async put(id: string, order: Order, options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    options.signal?.throwIfAborted();
    this.rows.set(id, order);
  }

  /** Adds and remembers that it did, in one: a conditional transaction. */
  async addOnce(id: string, account: string, amount: number): Promise<void> {
    if (this.charged.has(id)) return;
    this.charged.set(id, amount);
    await this.add(account, amount);
  }

  async list(account: string): Promise<readonly string[]> {
    return this.lists.get(account) ?? [];
  }

  async setList(account: string, ids: readonly string[]): Promise<void> {
    this.lists.set(account, ids);
  }

  async charge(id: string): Promise<void> {
    this.charges.push(id);
  }

  async chargeWithKey(key: string, amount: number): Promise<void> {
    if (!this.charged.has(key)) this.charged.set(key, amount);
  }

  async publish(id: string): Promise<void> {
    this.published.push(id);
  }
}

/** Two accounts, four orders. */
export const ORDERS: readonly Order[] = [
  { id: 'o-1', account: 'a', amount: 10 },
  { id: 'o-2', account: 'b', amount: 20 },
  { id: 'o-3', account: 'a', amount: 30 },
  { id: 'o-4', account: 'a', amount: 40 },
];

type Options = Partial<CommonOptions<Order>>;

const COMMON = {
  value: json() as CommonOptions<Order>['value'],
  idempotencyKey: ({ value }: { value: Order }) => value.id,
};

/** A handler of one record at a time over a shop. */
export const onEach = (make: (shop: Shop) => OnOrder, options: Options = {}) =>
  shopScenario((shop) => lockstepConsumer<Order>({ ...COMMON, ...options, onRecord: make(shop) }));

/** A handler of batches over a shop. */
export const onAll = (make: (shop: Shop) => OnOrders, options: Options = {}) =>
  shopScenario((shop) => lockstepConsumer<Order>({ ...COMMON, ...options, onBatch: make(shop) }));

function shopScenario(handler: Scenario<Shop, unknown>['handler']): Scenario<Shop, unknown> {
  return {
    world: () => new Shop(),
    handler,
    records: ORDERS.map((value) => record({ key: value.account, value })),
    observe: ({ balances, rows, charges, charged, published, lists }, { effects, produced }) => ({
      balances,
      rows: Object.fromEntries(rows),
      lists: Object.fromEntries(lists),
      charges: [...charges].sort(),
      charged: Object.fromEntries(charged),
      published: [...published].sort(),
      effects: effects.map(({ Update }) => Update?.Key?.['id']?.S).sort(),
      produced: produced.map(({ value }) => value?.toString()).sort(),
    }),
  };
}
