import { expect, test } from 'vitest';
import { LateSignal } from '../../../shared/runtime/late-signal.ts';

test('a signal that is asked for in time fires once, and listeners hear of it once', () => {
  const late = new LateSignal();
  const heard: string[] = [];
  late.onAbort(() => heard.push('listener'));
  late.signal.addEventListener('abort', () => heard.push('signal'));

  late.abort();
  late.abort();

  expect(heard).toEqual(['signal', 'listener']);
  expect(late.signal.aborted).toBe(true);
});

test('a signal that is asked for too late has fired', () => {
  const late = new LateSignal();
  expect(late.signal.aborted).toBe(false);

  const other = new LateSignal();
  other.abort();
  expect(other.signal.aborted).toBe(true);
});
