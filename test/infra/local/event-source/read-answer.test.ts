import { expect, test } from 'vitest';
import { readAnswer } from '../../../../infra/local/event-source/decide.ts';

test.each([[undefined], [null], [''], [{}], [{ batchItemFailures: null }], [{ batchItemFailures: [] }]])(
  'an empty answer means success: %j',
  (answer) => {
    expect(readAnswer(answer)).toEqual({ type: 'answered', batchItemFailures: [] });
  },
);

test('reads the documented identifiers', () => {
  expect(readAnswer({ batchItemFailures: [{ itemIdentifier: { partition: 'orders-3', offset: 100 } }] })).toEqual({
    type: 'answered',
    batchItemFailures: [{ partition: 'orders-3', offset: 100 }],
  });
});

test.each([
  ['OK'],
  [[]],
  [{ batchItemFailures: 'orders-3' }],
  [{ batchItemFailures: 5 }],
  [{ batchItemFailures: ['orders-3@100'] }],
  [{ batchItemFailures: [{ itemIdentifier: null }] }],
  [{ batchItemFailures: [{ itemIdentifier: { offset: 100 } }] }],
  [{ batchItemFailures: [{ itemIdentifier: { partition: 'orders-3' } }] }],
  [{ batchItemFailures: [{ itemIdentifier: { partition: 3, offset: 100 } }] }],
  [{ batchItemFailures: [null] }],
  [{ batchItemFailures: [{ itemIdentifier: 'orders-3@100' }] }],
  [{ batchItemFailures: [{ itemIdentifier: { 'topic-partition': 'orders-3', offset: 100 } }] }],
  [{ batchItemFailures: [{ itemIdentifier: { partition: 'orders-3', offset: '100' } }] }],
  [{ batchItemFailures: [{ itemIdentifier: { partition: 'orders-3', offset: 1.5 } }] }],
])('anything else is malformed: %j', (answer) => {
  expect(readAnswer(answer)).toMatchObject({ type: 'malformed' });
});

test('a malformed answer is quoted, cut', () => {
  expect(readAnswer(['x'.repeat(300)])).toEqual({ type: 'malformed', found: `["${'x'.repeat(198)}` });
});
