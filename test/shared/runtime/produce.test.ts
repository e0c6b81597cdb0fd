import { describe, expect, test } from 'vitest';
import { byPosition, LockstepError, lockstepConsumer, text } from '../../../shared/lockstep-consumer.ts';
import { deliver } from '../../../shared/testing/deliver.ts';
import { record } from '../../../shared/testing/record.ts';

/** A consumer that passes each value on, and notes the attempts. */
function passingOn(maxAttempts = 3) {
  const attempts: string[] = [];
  const handler = lockstepConsumer({
    value: text,
    idempotencyKey: byPosition,
    retry: { maxAttempts },
    onRecord: ({ value, key }, { attempt, produce }) => {
      attempts.push(`${value}${attempt}`);
      produce('next', { key, value, headers: { traceparent: '00-1' } });
    },
  });
  return { handler, attempts };
}

const values = (all: string) => [...all].map((value) => record({ key: 'k', value: Buffer.from(value) }));
const unreachable = () => new LockstepError('BROKER_UNREACHABLE', 'records for next were not acknowledged in time');
const refused = () => new LockstepError('PRODUCE_FAILED', 'records for next were refused: MESSAGE_TOO_LARGE');

describe('a record passed on', () => {
  test('is acknowledged before its own record is settled, with an id that every run repeats', async () => {
    const { handler } = passingOn();

    const { produced } = await deliver(handler, values('ab'), { crash: { afterRun: 2 } });

    expect(produced.map(({ topic, key, value }) => [topic, key?.toString(), value?.toString()])).toEqual([
      ['next', 'k', 'a'],
      ['next', 'k', 'a'],
      ['next', 'k', 'b'],
    ]);
    const [first, again] = produced.map(({ headers }) =>
      headers.find(({ name }) => name === 'x-lockstep-id')?.value.toString(),
    );
    expect(first).toBe('11111111-2222-3333-4444-555555555555-1/deliver/orders-0@0/1767225600000/0');
    expect(again).toBe(first);
  });

  test('that the broker does not take is a failed attempt of its record, and its dead letter in the end', async () => {
    const { handler, attempts } = passingOn();

    const { produced, deadLetters } = await deliver(handler, values('ab'), {
      failProduce: [refused(), refused(), refused()],
    });

    expect(attempts).toEqual(['a1', 'a2', 'a3', 'b1']);
    expect(produced.map(({ value }) => value?.toString())).toEqual(['b']);
    expect(deadLetters[0]?.headers.find(({ name }) => name === 'x-error-name')?.value.toString()).toBe(
      'PRODUCE_FAILED',
    );
  });

  test('while no broker can be reached pauses the partition, however long, and costs no attempt', async () => {
    const { handler, attempts } = passingOn();

    const { produced, deadLetters, metrics } = await deliver(handler, values('ab'), {
      failProduce: Array.from({ length: 12 }, unreachable),
    });

    expect(new Set(attempts)).toEqual(new Set(['a1', 'b1']));
    expect(produced.map(({ value }) => value?.toString())).toEqual(['a', 'b']);
    expect(deadLetters).toEqual([]);
    expect(metrics).toMatchObject({ PartitionsPaused: 12, RecordsHandled: 2 });
  });
});
