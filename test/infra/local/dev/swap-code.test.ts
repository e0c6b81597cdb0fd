import { expect, test } from 'vitest';
import { swapCode } from '../../../../infra/local/dev/swap-code.ts';

/** Steps that note when they begin, and fail where they are told to. */
function steps(failing?: string) {
  const done: string[] = [];
  const step = async (name: string) => {
    done.push(name);
    if (name === failing) throw new Error(name);
  };
  const swapped = swapCode({
    build: async () => {
      await step('build');
      return 'code';
    },
    hold: async () => {
      await step('hold');
      return () => void done.push('go on');
    },
    update: (code) => step(`update ${code}`),
  });
  return swapped.then(
    () => done,
    () => done,
  );
}

test('a save takes three steps: it is built while the old code runs, then invocations wait for one update', async () => {
  expect(await steps()).toEqual(['build', 'hold', 'update code', 'go on']);
});

test('code that does not compile holds no invocation up; after an update that fails they go on', async () => {
  expect(await steps('build')).toEqual(['build']);
  expect(await steps('update code')).toEqual(['build', 'hold', 'update code', 'go on']);
});
