import { describe, expect, test } from 'vitest';
import { invokeWith } from '../../../shared/connection.ts';
import { byPosition, json, lockstepConsumer } from '../../../shared/lockstep-consumer.ts';
import type { RawRecord } from '../../../shared/record/delivered-record.ts';
import type { KafkaEvent } from '../../../shared/record/kafka-event.ts';
import { DeliveryWorld } from '../../../shared/testing/delivery-world.ts';
import { kafkaEvent, record } from '../../../shared/testing/record.ts';

type Middleware = Parameters<ReturnType<typeof lockstepConsumer>['use']>[0];
/** Records of an event, to be changed as a middleware may. */
type Loose = { [name: string]: { -readonly [field in keyof RawRecord]: unknown }[] };

const recordsOf = (event: unknown) => (event as KafkaEvent).records as unknown as Loose;
const of = (event: unknown) => recordsOf(event)['orders-0'] as Loose[string];

/** Invokes a consumer whose second record fails; what Lambda gets, and what was logged. */
async function invoked(middleware: Middleware, change: (event: KafkaEvent) => void = () => undefined) {
  const handled: unknown[] = [];
  const handler = lockstepConsumer({
    value: json(),
    idempotencyKey: byPosition,
    retry: { inlineRetries: 0 },
    onRecord: ({ value }) => {
      if (value === 2) throw new Error('not yet');
      handled.push(value);
    },
  }).use(middleware);
  const world = new DeliveryWorld({});
  const event = kafkaEvent([record({ key: 'k', value: 1 }), record({ key: 'k', value: 2 })]);
  change(event);
  let got: unknown;
  try {
    got = await world.clock.runUntilSettled(invokeWith(handler, world.newProcess(), event, world.context()));
  } catch (error) {
    got = (error as Error).message.split('. ')[0];
  }
  world.close();
  return { got, handled, errors: world.delivery().logs.filter(({ level }) => level === 'error').length };
}

const ANSWER = { batchItemFailures: [{ itemIdentifier: { partition: 'orders-0', offset: 1 } }] };

describe('a middleware', () => {
  test('may look at everything', async () => {
    const seen: unknown[] = [];
    const { got, handled } = await invoked({
      before: ({ event }) => void seen.push(Object.keys(event.records)),
      after: ({ response }) => void seen.push(structuredClone(response)),
    });

    expect(got).toEqual(ANSWER);
    expect(handled).toEqual([1]);
    expect(seen).toEqual([['orders-0'], ANSWER]);
  });

  test('may hand on a copy of the event and of the answer', async () => {
    const { got } = await invoked({
      before: (request) => {
        request.event = structuredClone(request.event);
      },
      after: (request) => {
        request.response = structuredClone(request.response);
      },
    });

    expect(got).toEqual(ANSWER);
  });

  test.each<[string, (event: unknown) => void, string]>([
    [
      'decodes values in place',
      (event) => {
        for (const one of of(event)) one.value = JSON.parse(Buffer.from(String(one.value), 'base64').toString());
      },
      'orders-0[0].value: expected what Lambda sent, got another number',
    ],
    [
      'makes values plain text',
      (event) => {
        for (const one of of(event)) one.value = 'abcd';
      },
      'orders-0[0].value: expected what Lambda sent, got another string',
    ],
    [
      'decodes keys',
      (event) => {
        for (const one of of(event)) one.key = 'k';
      },
      'orders-0[0].key: expected what Lambda sent, got another string',
    ],
    [
      'drops a value',
      (event) => {
        for (const one of of(event)) delete one['value' as never];
      },
      'orders-0[0].value: expected what Lambda sent, got another undefined',
    ],
    ['drops a record', (event) => void of(event).shift(), 'orders-0: expected 2 records as Lambda sent them, got 1'],
    [
      'drops a partition',
      (event) => {
        delete recordsOf(event)['orders-0'];
      },
      'orders-0: expected 2 records as Lambda sent them, got undefined',
    ],
    [
      'moves a record',
      (event) => {
        for (const one of of(event)) one.offset = 7;
      },
      'orders-0[0].offset: expected what Lambda sent, got another number',
    ],
    [
      'makes its records a list',
      (event) => void Object.assign(event as object, { records: [] }),
      'orders-0: expected 2 records as Lambda sent them, got undefined',
    ],
    [
      'takes its records away',
      (event) => void Object.assign(event as object, { records: null }),
      'orders-0: expected 2 records as Lambda sent them, got undefined',
    ],
  ])('that %s is refused before anything is handled', async (_, change, says) => {
    expect(await invoked({ before: ({ event }) => change(event) })).toEqual({
      got: `EVENT_CHANGED: event.records.${says}`,
      handled: [],
      errors: 1,
    });
  });

  const replaced = 'ANSWER_CHANGED: a middleware replaced the answer of the consumer';
  const instead = 'ANSWER_CHANGED: a middleware answered instead of the consumer';
  test.each<[string, Middleware, string]>([
    [
      'empties the answer',
      {
        after: (request) => {
          request.response = {} as never;
        },
      },
      replaced,
    ],
    [
      'takes the answer away',
      {
        after: (request) => {
          request.response = null;
        },
      },
      replaced,
    ],
    [
      'forgets a failed record in place',
      {
        after: ({ response }) => {
          (response as unknown as { batchItemFailures: unknown[] }).batchItemFailures.pop();
        },
      },
      replaced,
    ],
    [
      'wraps the answer as for HTTP',
      {
        after: (request) => {
          request.response = { statusCode: 200, body: JSON.stringify(request.response) } as never;
        },
      },
      replaced,
    ],
    ['ends the stack with a response', { after: () => ({ ok: true }) as never }, replaced],
    [
      'answers with what cannot be written',
      {
        after: (request) => {
          request.response = 7n as never;
        },
      },
      replaced,
    ],
    ['answers early', { before: () => ({ batchItemFailures: [] }) as never }, instead],
  ])('that %s does not get through to Lambda', async (_, middleware, says) => {
    expect(await invoked(middleware)).toMatchObject({ got: says, errors: 1 });
  });

  test('that makes a response of an error does not get through to Lambda', async () => {
    const swallowing: Middleware = {
      onError: (request) => {
        request.response = { batchItemFailures: [] };
      },
    };

    expect(
      await invoked(swallowing, (event) => {
        of(event)[0] = { offset: 'x' } as never;
      }),
    ).toEqual({ got: instead, handled: [], errors: 1 });
  });

  test('that throws has its error logged once, and Lambda gets it', async () => {
    const throwing: Middleware = {
      after: () => {
        throw new Error('odd');
      },
    };

    expect(await invoked(throwing)).toEqual({ got: 'odd', handled: [1], errors: 1 });
  });
});
