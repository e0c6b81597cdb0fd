import { expect, test } from 'vitest';
import { lockstepOperator } from '../../../shared/operator/lockstep-operator.ts';
import { checkRights, isActing } from '../../../shared/operator/look-only.ts';
import { type OperatorRequest, readOperatorRequest } from '../../../shared/operator/requests.ts';

const FUNCTION = 'arn:aws:lambda:eu-central-1:111122223333:function:Shop-Orders-Operator';

const looking: OperatorRequest[] = [
  { type: 'topics' },
  { type: 'groups', filter: {} },
  { type: 'letters', filter: {}, limit: 10 },
  { type: 'letter', id: 'x' },
  { type: 'redrive', filter: {}, dryRun: true, by: 'ann' },
  { type: 'purge', filter: {}, dryRun: true, by: 'ann' },
  { type: 'replay', partition: 0, fromOffset: 0, toOffset: 1, dryRun: true, by: 'ann' },
];
const acting: OperatorRequest[] = [
  { type: 'redrive', filter: {}, dryRun: false, by: 'ann' },
  { type: 'purge', filter: {}, dryRun: false, by: 'ann' },
  { type: 'replay', partition: 0, fromOffset: 0, toOffset: 1, dryRun: false, by: 'ann' },
];

test.each(looking)('who may only look may ask: $type', (request) => {
  expect(isActing(request)).toBe(false);
  expect(() => checkRights(readOperatorRequest(request), `${FUNCTION}:look`)).not.toThrow();
});

test.each(acting)('who may only look may not change anything: $type', (request) => {
  expect(isActing(request)).toBe(true);
  expect(() => checkRights(readOperatorRequest(request), `${FUNCTION}:look`)).toThrow(
    `OPERATOR_MAY_ONLY_LOOK: a ${request.type} was requested under the alias \`look\`. Nothing was changed.`,
  );
});

test.each(acting)('who may invoke the function itself may: $type', (request) => {
  expect(() => checkRights(request, FUNCTION)).not.toThrow();
});

test('the function refuses before it connects to anything', async () => {
  const handler = lockstepOperator(() => Promise.reject(new Error('connected')));
  const context = { invokedFunctionArn: `${FUNCTION}:look` } as never;
  await expect(handler(acting[0], context)).rejects.toThrow('OPERATOR_MAY_ONLY_LOOK');
  await expect(handler(looking[0], context)).rejects.toThrow('connected');
});
