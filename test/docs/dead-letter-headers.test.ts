import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { isOwnName } from '../../shared/decide/foreign-headers.ts';
import {
  byPosition,
  type ConsumerOptions,
  lockstepConsumer,
  NonRetryableError,
  text,
} from '../../shared/lockstep-consumer.ts';
import { deliver } from '../../shared/testing/deliver.ts';
import { record } from '../../shared/testing/record.ts';

const page = readFileSync('docs/retry-and-idempotency.md', 'utf8');
const section = page.slice(page.indexOf('## What a dead letter holds')).split('\n## ')[0] ?? '';
const named = section
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .flatMap((line) => [...(line.split('|')[1] ?? '').matchAll(/`(x-[a-z-]+)`/g)].flatMap(([, name]) => name ?? []));

test('the page names every header of a dead letter, of a parked one too', async () => {
  const options: ConsumerOptions<string | null> = {
    value: text,
    idempotencyKey: byPosition,
    onRecord: () => {
      throw new NonRetryableError('refused');
    },
  };
  const plain = await deliver(lockstepConsumer(options), [record({ value: 'a' })]);
  const parking = lockstepConsumer({ ...options, order: 'key', retry: { onExhausted: 'park' } });
  const parked = await deliver(parking, [record({ key: 'k', value: 'a' })]);
  const headers = [...plain.deadLetters, ...parked.deadLetters].flatMap((letter) =>
    letter.headers.map(({ name }) => name),
  );

  expect(headers).toContain('x-error-name');
  expect(headers).toContain('x-parked-ordinal');
  expect([...new Set(headers)].filter((name) => !named.includes(name))).toEqual([]);
});

test('it names no header that is not one of ours', () => {
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((name) => !isOwnName(name))).toEqual([]);
});
