import type { Refusal } from './refusal.ts';

/** Settings with which Lambda would drop records that the function never got. */
export const FAILURE_DESTINATION_REFUSALS = {
  LOCKSTEP_PARTIAL_ANSWERS_ON_DEMAND: {
    property: 'failureMode',
    because:
      "`failureMode: 'report'` in on-demand mode: Lambda ignores the partial answer and commits the failed records.",
    fix: "Drop `mode: 'on-demand'`, or set `failureMode: 'throw'`",
    objection: (s) =>
      s.mode === 'on-demand' && s.failureMode === 'report'
        ? "`failureMode: 'report'` gives a partial answer, but a mapping in on-demand mode ignores partial answers and would commit failed records"
        : undefined,
  },
  LOCKSTEP_REGISTRY_ON_DEMAND: {
    property: 'schemaRegistry',
    because: 'A schema registry in on-demand mode: only provisioned mappings decode.',
    fix: "Drop `mode: 'on-demand'`, or decode in the handler's `value`",
    objection: (s) => (s.mode === 'on-demand' && s.decodesValues ? 'it needs a provisioned mapping' : undefined),
  },
  LOCKSTEP_REGISTRY_WITHOUT_FAILURE_DESTINATION: {
    property: 'onFailureDestination',
    because:
      'A schema registry without a failure destination: Lambda drops values that the registry cannot decode. The function never sees them.',
    fix: 'Set `onFailureDestination: { retryAttempts: … }`',
    objection: (s) =>
      s.decodesValues && s.failureRetryAttempts === undefined
        ? 'without it Lambda drops every value that the registry cannot decode, before the function sees it'
        : undefined,
  },
  LOCKSTEP_FAILURE_DESTINATION_ON_DEMAND: {
    property: 'onFailureDestination',
    because: 'A failure destination in on-demand mode: the mapping would refuse it or ignore it.',
    fix: "Drop `onFailureDestination`, or drop `mode: 'on-demand'`",
    objection: (s) =>
      s.mode === 'on-demand' && s.failureRetryAttempts !== undefined ? 'it needs a provisioned mapping' : undefined,
  },
  LOCKSTEP_FAILURE_DESTINATION_WITH_INFINITE_ATTEMPTS: {
    property: 'onFailureDestination',
    because: '`maxAttempts: Infinity` with a failure destination: Lambda would take the blocked record away and go on.',
    fix: 'Drop `onFailureDestination`, or set `maxAttempts` to a number',
    objection: (s) =>
      s.failureRetryAttempts !== undefined && s.maxAttempts === Number.POSITIVE_INFINITY
        ? `Lambda would take blocked records away after ${s.failureRetryAttempts} retries, but \`maxAttempts: Infinity\` promises that a blocked record is never given up`
        : undefined,
  },
  LOCKSTEP_FAILURE_DESTINATION_TOO_EAGER: {
    property: 'onFailureDestination.retryAttempts',
    because:
      'Fewer Lambda retries than five times the attempts and interruptions of the handler, or over 10,000. Batches that only wait use up retries, too, so Lambda would give up records that the handler never got.',
    fix: 'Raise `onFailureDestination.retryAttempts` (at most 10,000), or lower `retry`',
    objection: ({ failureRetryAttempts: retries, maxAttempts, maxInterruptions }) => {
      if (retries === undefined || maxAttempts === Number.POSITIVE_INFINITY) return undefined;
      const least = 5 * (maxAttempts + maxInterruptions);
      return Number.isInteger(retries) && retries > least && retries <= 10_000
        ? undefined
        : `expected more than ${least} retries (five times \`maxAttempts\` ${maxAttempts} and \`maxInterruptions\` ${maxInterruptions}) and at most 10,000, got \`${retries}\`: Lambda would give up records before the handler has used its attempts`;
    },
  },
} as const satisfies Record<string, Refusal>;
