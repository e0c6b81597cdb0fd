import { describe, expect, test } from 'vitest';
import {
  BatchFailure,
  byPosition,
  lockstepConsumer,
  NonRetryableError,
  PauseError,
  text,
} from '../../../../shared/lockstep-consumer.ts';
import { ExplorationError, explore } from '../../../../shared/testing/explore/explore.ts';
import type { Scenario } from '../../../../shared/testing/explore/scenario.ts';
import { record } from '../../../../shared/testing/record.ts';
import { onAll, onEach, Shop } from './a-shop.ts';

const update = (id: string) => ({
  Update: { TableName: 'balances', Key: { id: { S: id } }, UpdateExpression: 'ADD n :n' },
});

/** Handlers that are wrong, each in its own way, and what the story says. */
const WRONG: readonly (readonly [string, Scenario<Shop, unknown>, RegExp])[] = [
  [
    'increments a counter without a condition',
    onEach(
      (shop) =>
        ({ value }) =>
          shop.add(value.account, value.amount),
    ),
    /balances\.a: 20 instead of 10/,
  ],
  [
    'publishes before it writes',
    onEach((shop) => async ({ value }) => {
      await shop.publish(value.id);
      await shop.put(value.id, value);
    }),
    /published: 'o-1' once more than it should be/,
  ],
  [
    'writes after a promise that nobody awaits',
    onEach((shop) => ({ value }) => {
      void shop.has(value.id).then((known) => (known ? undefined : shop.put(value.id, value)));
    }),
    /rows\.o-1: missing/,
  ],
  [
    'keeps what it has done in memory only',
    onEach((shop) => {
      const done = new Set<string>();
      return async ({ value }) => {
        if (done.has(value.id)) return;
        await shop.charge(value.id);
        done.add(value.id);
      };
    }),
    /charges: 'o-1' once more than it should be/,
  ],
  [
    'trusts a cache that outlives another process’s write',
    onEach((shop) => {
      const cache = new Map<string, readonly string[]>();
      return async ({ value: { account, id } }) => {
        const ids = [...new Set([...(cache.get(account) ?? (await shop.list(account))), id])];
        cache.set(account, ids);
        await shop.setList(account, ids);
      };
    }),
    /lists\.a: 'o-\d' is missing/,
  ],
  [
    'reads, changes and writes two keys',
    onEach((shop) => async ({ value: { account, amount } }) => {
      await shop.setBalance(account, (await shop.balance(account)) - amount);
      await shop.setBalance('shop', (await shop.balance('shop')) + amount);
    }),
    /balances\.a: -20 instead of -10/,
  ],
  [
    'calls an API that does the same twice',
    onEach(
      (shop) =>
        ({ value }) =>
          shop.charge(value.id),
    ),
    /charges: 'o-1' once more than it should be/,
  ],
  [
    'has an effect outside transact beside one inside',
    onEach((shop) => async ({ value }, { transact }) => {
      transact(update(value.id));
      await shop.add(value.account, value.amount);
    }),
    /balances\.a: 20 instead of 10/,
  ],
  [
    'ignores its signal',
    onEach(
      (shop) =>
        async ({ value }) =>
          shop.put(value.account, value),
    ),
    /rows\.a\.id: 'o-1' instead of 'o-\d'/,
  ],
  [
    'relies on a record being seen once',
    onEach((shop) => async ({ value }) => {
      if (await shop.has(value.id)) throw new NonRetryableError('seen before', { code: 'DUPLICATE' });
      await shop.put(value.id, value);
    }),
    /dead letters: 'orders-0@\d' should not be there/,
  ],
  [
    'writes a part of its batch before it fails',
    onAll((shop) => async (records) => {
      for (const { value } of records) await shop.charge(value.id);
    }),
    /charges: 'o-\d' once more than it should be/,
  ],
  [
    'gives up at the first error',
    onEach((shop) => async ({ value }) => {
      await shop.put(value.id, value).catch((cause: unknown) => {
        throw new NonRetryableError('no', { code: 'WRITE_FAILED', cause });
      });
    }),
    /dead letters: 'orders-0@0' should not be there/,
  ],
];

/** Handlers that bear it. */
const RIGHT: readonly (readonly [string, Scenario<Shop, unknown>])[] = [
  [
    'commits with context.transact',
    onEach(
      () =>
        ({ value }, { transact }) =>
          transact(update(value.id)),
    ),
  ],
  [
    'commits with context.transact, keys side by side',
    onEach(
      () =>
        ({ value }, { transact }) =>
          transact(update(value.id)),
      { order: 'key', idempotencyKey: byPosition },
    ),
  ],
  [
    'upserts each record under its own id',
    onEach(
      (shop) =>
        ({ value }) =>
          shop.put(value.id, value),
    ),
  ],
  [
    'upserts, keys side by side',
    onEach(
      (shop) =>
        ({ value }) =>
          shop.put(value.id, value),
      { order: 'key', idempotencyKey: byPosition },
    ),
  ],
  [
    'gives its signal to an upsert of the latest',
    onEach(
      (shop) =>
        ({ value }, { signal }) =>
          shop.put(value.account, value, { signal }),
    ),
  ],
  [
    'pays with an idempotency key',
    onEach(
      (shop) =>
        ({ value }) =>
          shop.chargeWithKey(value.id, value.amount),
    ),
  ],
  [
    'adds under a condition',
    onEach(
      (shop) =>
        ({ value }) =>
          shop.addOnce(value.id, value.account, value.amount),
    ),
  ],
  [
    'passes records on with context.produce',
    onEach(
      () =>
        ({ key, value }, { produce }) =>
          produce('shipments', { key, value: value.id }),
    ),
  ],
  [
    'upserts in batches, and names what failed',
    onAll((shop) => async (records) => {
      for (const record of records)
        await shop.put(record.value.id, record.value).catch((cause: unknown) => {
          throw new BatchFailure(record, { cause });
        });
    }),
  ],
  [
    'writes first and publishes with the record',
    onEach((shop) => async ({ key, value }, { produce }) => {
      await shop.put(value.id, value);
      produce('orders-written', { key, value: value.id });
    }),
  ],
  [
    'pauses when its service is down',
    onEach((shop) => async ({ value }) => {
      await shop.put(value.id, value).catch((cause: unknown) => {
        throw new PauseError({ resumeAfterMs: 5_000, cause });
      });
    }),
  ],
];

const storyOf = async (scenario: Scenario<Shop, unknown>, replay?: string) => {
  const found = await explore(scenario, replay === undefined ? {} : { replay }).catch((error: unknown) => error);
  if (!(found instanceof ExplorationError)) throw found instanceof Error ? found : new Error('it holds');
  return found;
};

describe('a handler that is wrong is found, with a story of 15 lines at most, and its replay gives it again:', () => {
  test.each(WRONG)('one that %s', async (_, scenario, says) => {
    const found = await storyOf(scenario);

    expect(found.message).toMatch(says);
    expect(found.message.split('\n').length).toBeLessThanOrEqual(15);
    expect((await storyOf(scenario, found.replay)).message).toBe(found.message);
  });
});

/** `npm run test:long` takes 2,000. */
const RUNS = Number(process.env['LOCKSTEP_EXPLORE_RUNS'] ?? 400);

describe('a handler that is right holds in every run:', () => {
  test.each(RIGHT)('one that %s', async (_, scenario) => {
    await expect(explore(scenario, { runs: RUNS })).resolves.toMatchObject({ runs: RUNS });
  });
});

test('a handler that is wrong only where nothing tells it that its lease is lost is found when that is asked for', async () => {
  const scenario = onEach(
    (shop) =>
      ({ value }, { signal }) =>
        shop.put(value.account, value, { signal }),
  );

  await expect(explore(scenario, { troubles: ['thawsUnawareBefore'] })).rejects.toThrow(
    /process 1 continues: put happens now/,
  );
});

test('a promise that nobody awaits and that is rejected is told', async () => {
  const scenario = onEach(
    (shop) =>
      ({ value }) =>
        void shop.put(value.id, value),
  );

  await expect(explore(scenario, { troubles: ['fails'] })).rejects.toThrow(
    'a promise that the handler of orders-0@0 started and nobody awaited was rejected: put failed (explore)',
  );
});

test('what must hold may be said instead of compared', async () => {
  const scenario = onEach(
    (shop) =>
      ({ value }) =>
        shop.charge(value.id),
  );
  const holds = (observed: unknown) => expect(JSON.stringify(observed)).toMatch(/o-1.*o-4/);

  await expect(explore({ ...scenario, holds }, { runs: 50 })).resolves.toMatchObject({ runs: 50 });
  await expect(explore({ ...scenario, holds: () => false })).rejects.toThrow('`holds` says no to { balances: {}');
  await expect(
    explore({ ...scenario, holds: (observed, expected) => expect(observed).toEqual(expected) }),
  ).rejects.toThrow('expected { balances: {}');
});

test('handlers that wait for real timers, sync worlds and functions as worlds are seen, too', async () => {
  const later = onEach((shop) => async ({ value }) => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    await shop.charge(value.id);
  });
  await expect(explore(later)).rejects.toThrow(/charges: 'o-1' once more/);

  const records = [record({ value: Buffer.from('a') })];
  const options = { value: text, idempotencyKey: byPosition } as const;
  const map = {
    world: () => ({ seen: new Map<string, number>(), total: 0 }),
    handler: (world: { seen: Map<string, number>; total: number }) =>
      lockstepConsumer({
        ...options,
        onRecord: ({ value }) => {
          world.seen.set(`${value}`, (world.seen.get(`${value}`) ?? 0) + 1);
          world.total += 1;
        },
      }),
    observe: ({ total }: { total: number }) => total,
    records,
  };
  await expect(explore(map)).rejects.toThrow(
    /2 instead of 1\n.*seen\.get.*\n.*seen\.set.*\n.*total = 1\n.*✝ process 1 dies after this call/,
  );

  const calls: string[] = [];
  const send = {
    world: () => {
      calls.length = 0;
      return async (id: string) => void calls.push(id);
    },
    handler: (world: (id: string) => Promise<void>) =>
      lockstepConsumer({ ...options, onRecord: ({ value }) => world(`${value}`) }),
    observe: () => [...calls],
    records,
  };
  await expect(explore(send)).rejects.toThrow("world('a')");
});

test('a handler that waits for something real only after an error is not taken for one that hangs', async () => {
  const patient = onEach((shop) => async ({ value }) => {
    for (let tries = 0; ; tries++) {
      try {
        return await shop.put(value.id, value);
      } catch (error) {
        if (tries > 1) throw error;
        await new Promise((resolve) => setTimeout(resolve, 60));
      }
    }
  });

  await expect(explore(patient, { troubles: ['fails'], runs: 15 })).resolves.toMatchObject({ runs: 15 });
});

test('making a handler may take its time, as an import does', async () => {
  const scenario = onEach(
    (shop) =>
      ({ value }) =>
        shop.charge(value.id),
  );
  const handler: typeof scenario.handler = (shop) =>
    new Promise((resolve) => setTimeout(() => resolve(scenario.handler(shop)), 20));

  await expect(explore({ ...scenario, handler })).rejects.toThrow(/charges: 'o-1' once more/);
});

test('a call that is made only after an error may go wrong, too', async () => {
  const refunding = onEach((shop) => async ({ value }) => {
    try {
      await shop.put(value.id, value);
    } catch (error) {
      await shop.charge(`refund of ${value.id}`);
      throw error;
    }
  });

  await expect(explore({ ...refunding, holds: () => true }, { runs: 300 })).resolves.toMatchObject({ runs: 300 });
  await expect(explore(refunding, { replay: 'fails:3 diesAfter:4' })).rejects.toThrow(
    "process 1, orders-0@0: charge('refund of o-1')\n            ✝ process 1 dies after this call",
  );
});

test('a method that returns now a value and now a promise returns the same to the handler', async () => {
  const given: unknown[] = [];
  const scenario = {
    world: () => ({
      rows: [] as string[],
      load(id: string): string | Promise<string> {
        return this.rows.includes(id) ? id : Promise.resolve(id);
      },
      async put(id: string) {
        if (!this.rows.includes(id)) this.rows.push(id);
      },
    }),
    handler: (db: { load(id: string): string | Promise<string>; put(id: string): Promise<void> }) =>
      lockstepConsumer({
        value: text,
        idempotencyKey: byPosition,
        onRecord: async ({ value }) => {
          await db.load(`${value}`);
          await db.put(`${value}`);
          given.push(db.load(`${value}`));
        },
      }),
    records: ['a', 'b'].map((value) => record({ value: Buffer.from(value) })),
    observe: ({ rows }: { rows: string[] }) => rows,
  };

  await expect(explore(scenario, { runs: 200 })).resolves.toMatchObject({ runs: 200 });
  expect(given.slice(-2)).toEqual(['a', 'b']);
});

test('calls on what a call gives are watched, too: a table, a transaction, a builder', async () => {
  const rows: string[] = [];
  const scenario = {
    world: () => {
      rows.length = 0;
      return {
        table: (name: string) => ({
          begin: async () => ({
            add: async (id: string) => void rows.push(`${name} ${id}`),
          }),
        }),
      };
    },
    handler: (db: { table(name: string): { begin(): Promise<{ add(id: string): Promise<void> }> } }) =>
      lockstepConsumer({
        value: text,
        idempotencyKey: byPosition,
        onRecord: async ({ value }) => {
          const transaction = await db.table('orders').begin();
          await transaction.add(`${value}`);
        },
      }),
    records: [record({ value: Buffer.from('o-1') })],
    observe: () => [...rows],
  };

  await expect(explore(scenario)).rejects.toThrow("process 1, orders-0@0: table().begin().add('o-1')");
});

describe('a scenario that cannot be explored is refused, and what to change is said:', () => {
  const shared = new Shop();
  const good = onEach(
    (shop) =>
      ({ value }) =>
        shop.put(value.id, value),
  );
  let count = 0;
  test.each<[string, Scenario<Shop, unknown>, string]>([
    [
      'it shares state between runs',
      {
        ...onEach(
          (shop) =>
            ({ value }) =>
              shop.charge(value.id),
        ),
        world: () => shared,
      },
      "explore: two runs without trouble differ (charges: 'o-1' once more than it should be). Either the scenario shares state between runs: make all of it in `world`",
    ],
    [
      'it observes chance',
      { ...good, observe: () => count++ },
      'Or what is observed depends on time or chance: leave that out of `observe`.',
    ],
    [
      'its handler never ends',
      onEach(() => () => new Promise(() => undefined)),
      'explore: the handler of orders-0@0 never ends, in a run without trouble.',
    ],
    [
      'its records cannot be decoded',
      { ...good, records: [record({ value: Buffer.from('{') })] },
      'explore: the value of orders-0@0 cannot be decoded: KAFKA_VALUE_UNDECODABLE',
    ],
    ['it has no records', { ...good, records: [] }, 'explore: the scenario has no records.'],
    [
      'its handler does not use its world',
      { ...good, handler: () => good.handler(new Shop()) },
      'explore: the handler calls nothing of its world. Give it the `world` that `handler` gets, not one of its own.',
    ],
    [
      'its handler fails without trouble',
      onEach(() => () => {
        throw new Error('no table');
      }),
      'explore: all records are dead-lettered in the run without trouble: Error: no table.',
    ],
    [
      'its handler is none',
      { ...good, handler: (() => async () => undefined) as never },
      'expected a handler that lockstepConsumer returned',
    ],
    [
      'making its handler fails',
      { ...good, handler: () => Promise.reject(new Error('no table name')) },
      'no table name',
    ],
  ])('%s', async (_, scenario, says) => {
    await expect(explore(scenario)).rejects.toThrow(says);
  });

  test.each([
    ['diesAfter:0', '`diesAfter:0`'],
    ['records:', '`records:`'],
    ['batch:1 nonsense', '`nonsense`'],
    ['reading:sometimes', '`reading:sometimes`'],
  ])('its replay is none: %s', async (replay, part) => {
    await expect(explore(good, { replay })).rejects.toThrow(`\`replay\` has a part ${part} that is none of a plan`);
  });

  test('its options are none', async () => {
    await expect(explore(good, { troubles: ['dies'] as never })).rejects.toThrow(
      'explore: there is no trouble `dies`: expected one of diesBefore, diesAfter',
    );
    await expect(explore(good, { runs: 0 })).rejects.toThrow('explore: expected `runs` to be an integer >= 1, got 0');
  });
});

test('the same seed gives the same story', async () => {
  const scenario = onEach(
    (shop) =>
      ({ value }) =>
        shop.charge(value.id),
  );
  const stories = await Promise.all([1, 2].map(() => storyOf(scenario)));

  expect(stories[0]?.message).toBe(stories[1]?.message);
});
