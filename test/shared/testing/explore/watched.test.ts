import { expect, test } from 'vitest';
import { type Gate, watched } from '../../../../shared/testing/explore/watched.ts';

/** Notes what passes, and lets it pass. */
function openGate() {
  const passed: string[] = [];
  const gate: Gate = {
    call: (name, given, perform) => {
      passed.push(`${name}(${given.join()})`);
      return perform();
    },
    set: (name, value, perform) => {
      passed.push(`${name} = ${value}`);
      return perform();
    },
  };
  return { gate, passed };
}

class Table {
  readonly #rows: { id: string }[] = [];
  name = 'orders';

  get size(): number {
    return this.#rows.length;
  }

  async put(row: { id: string }): Promise<{ id: string }> {
    this.#rows.push(row);
    return row;
  }

  async rows(): Promise<readonly { id: string }[]> {
    return this.#rows;
  }
}

test('methods of classes with private members run on the object itself; getters and names are read as they are', async () => {
  const { gate, passed } = openGate();
  const table = new Table();
  const seen = watched(table, gate);

  await seen.put({ id: 'a' });
  seen.name = 'payments';

  expect([seen.size, seen.name, table.name, seen instanceof Table]).toEqual([1, 'payments', 'payments', true]);
  expect(passed).toEqual(['put([object Object])', 'name = payments']);
});

test('data goes in and out as a copy, as with a real service', async () => {
  const table = watched(new Table(), openGate().gate);
  const row = { id: 'a' };
  const answer = await table.put(row);
  row.id = 'changed';
  answer.id = 'changed, too';

  expect(await table.rows()).toEqual([{ id: 'a' }]);
});

test('what an object holds is watched by its path, and the same object is the same', () => {
  const { gate, passed } = openGate();
  const world = watched({ db: { orders: new Map([['a', 1]]) }, list: [1, 2] }, gate);

  world.db.orders.set('b', 2);
  world.list.push(3);

  expect([...world.db.orders.keys()]).toEqual(['a', 'b']);
  expect([...world.list]).toEqual([1, 2, 3]);
  expect(world.db).toBe(world.db);
  expect(passed).toEqual(['db.orders.set(b,2)', 'list.push(3)', 'db.orders.keys()']);
});

test('a frozen world is used as it is', async () => {
  const { gate, passed } = openGate();
  const world = watched(Object.freeze({ send: async () => 'sent' }), gate);

  expect(await world.send()).toBe('sent');
  expect(passed).toEqual([]);
});
