import type { Refusal } from './refusal.ts';

/** About modes, schema registries and nets: what would lose records behind the function's back. */
export const FAILURE_DESTINATION_REFUSALS = {
  LOCKSTEP_PARTIAL_ANSWERS_ON_DEMAND: {
    property: 'failureMode',
    because: "`failureMode: 'report'` in on-demand mode: Lambda ignores the partial answer and commits what failed.",
    fix: "Drop `mode: 'on-demand'`, or set `failureMode: 'throw'`",
    objection: (s) =>
      s.mode === 'on-demand' && s.failureMode === 'report'
        ? "`failureMode: 'report'` answers in part, but a mapping in on-demand mode ignores partial answers and would commit what failed"
        : undefined,
  },
  LOCKSTEP_REGISTRY_ON_DEMAND: {
    property: 'schemaRegistry',
    because: 'A schema registry in on-demand mode: only provisioned mappings decode.',
    fix: "Drop `mode: 'on-demand'`, or decode in the handler's `value`",
    objection: (s) => (s.mode === 'on-demand' && s.decodesValues ? 'it needs a provisioned mapping' : undefined),
  },
  LOCKSTEP_REGISTRY_WITHOUT_NET: {
    property: 'onFailureDestination',
    because:
      'A schema registry without a net: values that fail in the registry never reach the function and are dropped.',
    fix: 'Set `onFailureDestination: { retryAttempts: … }`',
    objection: (s) =>
      s.decodesValues && s.failureRetryAttempts === undefined
        ? 'without it Lambda drops every value that the registry cannot decode, before the function sees it'
        : undefined,
  },
  LOCKSTEP_FAILURE_DESTINATION_ON_DEMAND: {
    property: 'onFailureDestination',
    because: 'A net in on-demand mode: the mapping would refuse or ignore it.',
    fix: "Drop `onFailureDestination`, or drop `mode: 'on-demand'`",
    objection: (s) =>
      s.mode === 'on-demand' && s.failureRetryAttempts !== undefined ? 'it needs a provisioned mapping' : undefined,
  },
  LOCKSTEP_FAILURE_DESTINATION_WITH_INFINITE_ATTEMPTS: {
    property: 'onFailureDestination',
    because: '`maxAttempts: Infinity` with a net: the net would take away the record that is meant to stand still.',
    fix: 'Drop `onFailureDestination`, or set `maxAttempts` to a number',
    objection: (s) =>
      s.failureRetryAttempts !== undefined && s.maxAttempts === Number.POSITIVE_INFINITY
        ? `it would take blocked records away after ${s.failureRetryAttempts} retries, but \`maxAttempts: Infinity\` promises to stand still`
        : undefined,
  },
  LOCKSTEP_FAILURE_DESTINATION_TOO_EAGER: {
    property: 'onFailureDestination.retryAttempts',
    because:
      'Net retries not above five times the attempts and interruptions of the handler, or over 10,000: batches that wait (back-off, gate, busy, untried tail) use them up too and would leave the partition untried.',
    fix: 'Raise `onFailureDestination.retryAttempts` (at most 10,000), or lower `retry`',
    objection: ({ failureRetryAttempts: retries, maxAttempts, maxInterruptions }) => {
      if (retries === undefined || maxAttempts === Number.POSITIVE_INFINITY) return undefined;
      const least = 5 * (maxAttempts + maxInterruptions);
      return Number.isInteger(retries) && retries > least && retries <= 10_000
        ? undefined
        : `expected more than ${least} retries (five times \`maxAttempts\` ${maxAttempts} and \`maxInterruptions\` ${maxInterruptions}) and at most 10,000, got \`${retries}\`: Lambda would put records into the net before the handler gave up on them`;
    },
  },
} as const satisfies Record<string, Refusal>;
