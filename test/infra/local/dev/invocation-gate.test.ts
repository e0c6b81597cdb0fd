import { expect, test } from 'vitest';
import { invocationGate } from '../../../../infra/local/dev/invocation-gate.ts';
import type { Invocation } from '../../../../infra/local/event-source/invoker.ts';

/** Invocations that end when they are told to. */
function slowInvoker() {
  const started: string[] = [];
  const ends: (() => void)[] = [];
  const invoke = (functionArn: string) =>
    new Promise<Invocation>((resolve) => {
      started.push(functionArn);
      ends.push(() => resolve({ type: 'answered', payload: '' }));
    });
  return { started, ends, gate: invocationGate({ invoke }) };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test('a held function starts nothing until what is in flight has ended and it goes on; others run', async () => {
  const { started, ends, gate } = slowInvoker();
  void gate.invoke('a', '');
  let isHeld = false;
  const holding = gate.hold('a').then((goOn) => {
    isHeld = true;
    return goOn;
  });
  void gate.invoke('a', '');
  void gate.invoke('b', '');
  await settled();
  expect({ started, isHeld }).toEqual({ started: ['a', 'b'], isHeld: false });

  ends[0]?.();
  const goOn = await holding;
  expect(started).toEqual(['a', 'b']);
  goOn();
  await settled();

  expect(started).toEqual(['a', 'b', 'a']);
});

test('two holds: an invocation starts when both have ended', async () => {
  const { started, gate } = slowInvoker();
  const all = await gate.hold();
  const one = await gate.hold('a');
  void gate.invoke('a', '');

  all();
  await settled();
  expect(started).toEqual([]);
  one();
  await settled();

  expect(started).toEqual(['a']);
});
