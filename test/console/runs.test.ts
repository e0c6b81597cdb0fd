import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Plan, Running } from '../../cli/plan.ts';
import { readOrder } from '../../console/levers.ts';
import type { RunView } from '../../console/messages.ts';
import { startRuns } from '../../console/runs.ts';
import { fakeTarget } from './fake-target.ts';

const ORDER = readOrder({ lever: 'redrive', consumer: 'Orders' });
let freed = 0;
let heard: RunView[] = [];

beforeEach(() => {
  freed = 0;
  heard = [];
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const lease = () => ({
  target: fakeTarget({ consumers: [], asked: [], mapping: {}, operate: async () => ({}) }),
  free: () => {
    freed++;
  },
});

/** A change that does what the test says. */
function told(run: (running: Running) => Promise<unknown>) {
  const plan: Plan = {
    says: ['It does it.'],
    isEmpty: false,
    dry: {},
    run,
    text: (answer) => `ended with ${answer}`,
    isDone: (answer) => answer === 'all',
  };
  return { plan, command: 'npx lockstep redrive', needsWhy: false };
}

const runs = () => startRuns((run) => heard.push(run));

test('what was told is forgotten after ten minutes, and its target is let go', () => {
  const all = runs();
  const { id } = all.add(
    ORDER,
    told(async () => 'all'),
    lease(),
  );
  vi.advanceTimersByTime(599_999);
  expect(freed).toBe(0);
  vi.advanceTimersByTime(1);
  expect(freed).toBe(1);
  expect(() => all.run(id, {})).toThrow('the console does not know this change any more');
});

test('progress is told four times a second at most, and the end always', async () => {
  const all = runs();
  const work = async ({ onProgress }: Running) => {
    for (let done = 1; done <= 1_000; done++) {
      vi.advanceTimersByTime(1);
      onProgress?.(done, 1_000);
    }
    return 'all';
  };
  all.run(all.add(ORDER, told(work), lease()).id, {});
  await vi.advanceTimersByTimeAsync(0);
  expect(heard.filter(({ done }) => done !== undefined).length).toBeLessThanOrEqual(6);
  expect(heard.at(-1)).toMatchObject({ state: 'done', text: 'ended with all' });
  expect(all.views()).toHaveLength(1);
});

test('a run that is cancelled stops after its step, and says what is not finished', async () => {
  const all = runs();
  const work = ({ signal }: Running) =>
    new Promise((resolve) => signal?.addEventListener('abort', () => resolve('a part')));
  const { id } = all.add(ORDER, told(work), lease());
  all.run(id, {});
  all.cancel(id);
  expect(heard.at(-1)).toMatchObject({ state: 'stopping' });
  await vi.advanceTimersByTimeAsync(0);
  expect(heard.at(-1)).toMatchObject({ state: 'unfinished', text: 'ended with a part' });
  expect(freed).toBeGreaterThan(0);
});

test('a run that fails says why', async () => {
  const all = runs();
  const { id } = all.add(
    ORDER,
    told(() => Promise.reject(new Error('the broker is gone'))),
    lease(),
  );
  all.run(id, {});
  await vi.advanceTimersByTimeAsync(0);
  expect(heard.at(-1)).toMatchObject({ state: 'failed', error: { message: 'the broker is gone' } });
});

test('the end of the console waits for what runs', async () => {
  const all = runs();
  let hasEnded = false;
  const work = ({ signal }: Running) =>
    new Promise((resolve) =>
      signal?.addEventListener('abort', () =>
        setTimeout(() => {
          hasEnded = true;
          resolve('a part');
        }, 3_000),
      ),
    );
  all.run(all.add(ORDER, told(work), lease()).id, {});
  const stopped = all.stop();
  await vi.advanceTimersByTimeAsync(2_999);
  expect(hasEnded).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  await stopped;
  expect(hasEnded).toBe(true);
});

test('twenty changes are kept, those that run always', async () => {
  const all = runs();
  const first = all.add(
    ORDER,
    told(() => new Promise(() => undefined)),
    lease(),
  );
  all.run(first.id, {});
  for (let more = 0; more < 30; more++)
    all.run(
      all.add(
        ORDER,
        told(async () => 'all'),
        lease(),
      ).id,
      {},
    );
  await vi.advanceTimersByTimeAsync(0);
  all.add(
    ORDER,
    told(async () => 'all'),
    lease(),
  );
  const views = all.views();
  expect(views[0]).toMatchObject({ id: first.id, state: 'running' });
  expect(views.length).toBeLessThanOrEqual(20);
});
