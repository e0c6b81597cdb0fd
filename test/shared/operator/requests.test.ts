import { expect, test } from 'vitest';
import { readOperatorRequest } from '../../../shared/operator/requests.ts';

test('takes what the command sends', () => {
  const request = { type: 'redrive', filter: { fingerprint: '3f9a' }, dryRun: true, by: 'ann', rate: 50 };
  expect(readOperatorRequest(request)).toEqual(request);
});

test.each([
  [{ type: 'destroy' }, 'type:'],
  [{ type: 'redrive', filter: {}, dryRun: true }, 'by:'],
  [{ type: 'redrive', filter: { fingreprint: 'x' }, dryRun: true, by: 'ann' }, 'filter.fingreprint:'],
  [{ type: 'letters', filter: {}, limit: 0 }, 'limit:'],
  [null, 'expected a request of an operator'],
])('refuses %j and names the field', (request, text) => {
  expect(() => readOperatorRequest(request)).toThrow(text);
});
