import type { Refusal } from './refusal.ts';

/** About parked keys: what could never be released. */
export const PARKED_KEY_REFUSALS = {
  LOCKSTEP_PARK_WITH_REGISTRY: {
    property: 'retry.onExhausted',
    because:
      'Parked keys with a schema registry: a release has the bytes of the broker, not the value that the mapping decoded.',
    fix: "Drop `onExhausted: 'park'`, or decode in the handler's `value`",
    objection: (s) =>
      s.onExhausted === 'park' && s.decodesValues
        ? 'a released record would reach the handler undecoded, since only the mapping decodes it'
        : undefined,
  },
  LOCKSTEP_PARK_WITHOUT_OPERATIONS: {
    property: 'operations',
    because: 'Parked keys without the operator function: nobody could release them.',
    fix: "Drop `operations: false`, or drop `onExhausted: 'park'`",
    objection: (s) =>
      s.onExhausted === 'park' && !s.operations ? 'only the operator function can release parked keys' : undefined,
  },
  LOCKSTEP_RELEASE_WITHOUT_PARK: {
    property: 'retry.release',
    because: 'A release of keys that never park: it would have no effect.',
    fix: "Set `onExhausted: 'park'`, or drop `release`",
    objection: (s) => (s.release !== undefined && s.onExhausted !== 'park' ? 'no key is ever parked' : undefined),
  },
  LOCKSTEP_RELEASE_OUT_OF_RANGE: {
    property: 'retry.release',
    because: 'A release more often than the relay looks, or with no number of tries that means anything.',
    fix: 'Set `every` from a minute to a day, and `maxRounds` from 1 to 100',
    objection: ({ release }) => {
      if (release === undefined) return undefined;
      const { everyMs, maxRounds } = release;
      const isEvery = everyMs >= 60_000 && everyMs <= 86_400_000;
      const isRounds = Number.isInteger(maxRounds) && maxRounds >= 1 && maxRounds <= 100;
      return isEvery && isRounds ? undefined : `got every ${everyMs} ms, ${maxRounds} times`;
    },
  },
} as const satisfies Record<string, Refusal>;
