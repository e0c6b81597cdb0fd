import { describe, expect, test } from 'vitest';
import { errorVerdict, pauseEnd } from '../../../shared/decide/error-verdict.ts';
import { LockstepError, NonRetryableError, PauseError } from '../../../shared/errors.ts';

const pause = new PauseError({ resumeAfterMs: 5 });
const final = new NonRetryableError('no');

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

/** Bears a brand, and throws whenever anything else of it is read. */
function hostile(brand: string): object {
  return new Proxy(
    {},
    {
      get(_, name) {
        if (name === Symbol.for(brand)) return true;
        throw new Error('not this');
      },
    },
  );
}

describe('what an error asks for', () => {
  test.each<[string, unknown, string]>([
    ['a pause', pause, 'pause'],
    ['a pause within an error', new Error('charge failed', { cause: new Error('http', { cause: pause }) }), 'pause'],
    ['a final error', final, 'nonRetryable'],
    ['a final error within another', new TypeError('outer', { cause: final }), 'nonRetryable'],
    ['the outer one first', new NonRetryableError('outer', { cause: pause }), 'nonRetryable'],
    ['the outer one first, of a pause', new PauseError({ resumeAfterMs: 1, cause: final }), 'pause'],
    ['an error of ours', new LockstepError('OPTIONS_INVALID', 'odd'), 'nonRetryable'],
    [
      'an error of ours that is worth a try, whatever its cause',
      new LockstepError('BATCH_FAILURE_FOREIGN', 'odd', { cause: final }),
      'retryable',
    ],
    ['an error', new Error('no'), 'retryable'],
    ['a symbol', Symbol('no'), 'retryable'],
    ['nothing', undefined, 'retryable'],
    ['a revoked proxy', revoked(), 'retryable'],
    ['a revoked proxy as cause', new Error('no', { cause: revoked() }), 'retryable'],
    ['a frozen error', Object.freeze(new Error('no')), 'retryable'],
    ['a pause of which nothing can be read', hostile('lockstep.PauseError'), 'pause'],
    ['an error of ours of which nothing can be read', hostile('lockstep.LockstepError'), 'retryable'],
  ])('%s', (_, error, type) => {
    expect(errorVerdict(error).type).toBe(type);
  });
});

test.each<[string, unknown, object]>([
  ['how long it lasts', new PauseError({ resumeAfterMs: 5 }), { resumeAfterMs: 5, resumeAt: undefined }],
  [
    'when it ends',
    new PauseError({ resumeAt: new Date(1_030_000) }),
    { resumeAfterMs: undefined, resumeAt: new Date(1_030_000) },
  ],
  ['nothing, where nothing of it can be read', hostile('lockstep.PauseError'), {}],
])('a pause says %s', (_, error, asked) => {
  expect(errorVerdict(error)).toStrictEqual({ type: 'pause', pause: asked });
});

describe('a pause', () => {
  const NOW = 1_000_000;

  test.each<[string, object, number]>([
    ['of milliseconds ends after them', { resumeAfterMs: 1_500 }, 1_001_500],
    ['of a part of a millisecond ends after a whole one', { resumeAfterMs: 0.25 }, 1_000_001],
    ['until a date ends then', { resumeAt: new Date(1_030_000) }, 1_030_000],
    ['longer than the limit ends at the limit', { resumeAfterMs: 1e300 }, 1_060_000],
    ['for ever ends at the limit', { resumeAfterMs: Number.POSITIVE_INFINITY }, 1_060_000],
    ['until a far date ends at the limit', { resumeAt: new Date(8.64e15) }, 1_060_000],
    ['of NaN takes a second', { resumeAfterMs: Number.NaN }, 1_001_000],
    ['of nothing takes a second', { resumeAfterMs: 0 }, 1_001_000],
    ['of less than nothing takes a second', { resumeAfterMs: -5 }, 1_001_000],
    ['of text takes a second', { resumeAfterMs: '5' }, 1_001_000],
    ['until a past date takes a second', { resumeAt: new Date(5) }, 1_001_000],
    ['until no date takes a second', { resumeAt: new Date('soon') }, 1_001_000],
    ['that says nothing takes a second', {}, 1_001_000],
  ])('%s', (_, request, end) => {
    expect(pauseEnd(request, NOW, 60_000)).toBe(end);
  });
});
