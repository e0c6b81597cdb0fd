import type { Bug } from './bugs.ts';

const CLAIM = 'shared/decide/claim.ts';
const RECREATION = 'shared/decide/recreation.ts';
const SETTLE = 'shared/decide/settle.ts';
const LEASE = 'shared/runtime/lease.ts';

/** Deliberate bugs where the consumer meets other people's code, records and decisions. */
export const SEAM_BUGS = {
  'skip-covers-a-later-topic': {
    what: 'what an operator, or the policy, skips from before memory covers what is newer than all that settled',
    patches: [
      {
        file: RECREATION,
        find: 'return offset < floor && isNewerThan(timestamp, newestTimestamp) && !includesOffset(pending, offset);',
        put: 'return offset < floor && timestamp < 0 && newestTimestamp === -1 && pending.length < 0;',
      },
    ],
    set: 'forgotten',
    within: 50,
    breaks: 'P8 answer',
  },
  'later-topic-is-no-topic-of-its-own': {
    what: 'with onReplay skip what is newer than all that settled runs, but under the progress of the topic before',
    patches: [
      {
        file: CLAIM,
        find: "isNewInReplay(progress, record) || (policy.onReplay === 'skip' && (isNewBeforeMemory(progress, record) || isNewBelowSettled(progress, record)));",
        put: 'isNewInReplay(progress, record);',
      },
    ],
    set: 'forgotten',
    within: 50,
    breaks: 'P8 answer',
  },
  'run-covers-a-later-topic': {
    what: 'what an operator once let run again covers a later topic, whose records then run under the progress of the one before',
    patches: [
      {
        file: CLAIM,
        find: 'isNewInReplay(progress, record) || (policy.onReplay',
        put: '(policy.onReplay',
      },
    ],
    set: 'forgotten',
    within: 100,
    from: 20_012_270,
    breaks: 'P8 answer',
  },
  'another-form-is-another-value': {
    what: 'hashes of two forms of a value are compared',
    patches: [
      {
        file: 'shared/record/value-hash.ts',
        find: "a !== '' && b !== '' && a !== b && formOf(a) === formOf(b)",
        put: 'a !== b',
      },
    ],
    set: 'seams',
    within: 200,
    breaks: 'P1 no loss',
  },
  'another-value-is-another-topic': {
    what: 'a known record that comes back with another value starts progress from nothing',
    patches: [
      {
        file: 'shared/record/value-hash.ts',
        find: "a !== '' && b !== '' && a !== b && formOf(a) === formOf(b)",
        put: 'a !== b',
      },
      {
        file: RECREATION,
        find: 'return isKnownAs(progress, record.offset, (known) => known.timestamp !== record.timestamp);',
        put: 'return isKnownAs(progress, record.offset, (known) => !isSame(known, record));',
      },
    ],
    set: 'seams',
    within: 200,
    breaks: 'P3 repeats',
  },
  'conflict-may-still-land': {
    what: 'a cancelled transaction counts as one that may still land, and what may still land makes the invocation let go',
    patches: [
      {
        file: LEASE,
        find: 'mayStillLand ||= !(error instanceof StoreError && error.notApplied);',
        put: 'mayStillLand = true;',
      },
      {
        file: LEASE,
        find: 'const answer = isUnsure ? await this.#overtake(last, request, transaction ?? NO_TRANSACTION) : last;',
        put: "if (isUnsure) throw new Error('its fate is unknown'); const answer = last;",
      },
    ],
    set: 'seams',
    within: 300,
    breaks: 'P9 kept',
  },
  'no-room-for-what-must-return': {
    what: 'what must come back fills the item, and then nothing starts any more',
    patches: [
      {
        file: SETTLE,
        find: 'export function isFull({ settled, blockedRecords }: Progress, moreRanges = 0): boolean {',
        put: 'export function isFull({ settled, blockedRecords, pending }: Progress, moreRanges = 0): boolean { if (pending.length > 2) return true;',
      },
      {
        file: 'shared/runtime/admit.ts',
        find: 'return takesNoRoom ? undefined',
        put: 'return takesNoRoom && false ? undefined',
      },
    ],
    set: 'gaps',
    within: 300,
    from: 35,
    breaks: 'P1 no loss',
  },
  'stands-still-unseen': {
    what: 'after a death nothing starts any more: nothing is counted, and nothing is said',
    patches: [
      {
        file: 'shared/runtime/admit.ts',
        find: 'if (isIsolated(run, call[0])) return admitIsolated(run, call[0]);',
        put: "if (isIsolated(run, call[0])) return Promise.resolve(notStarted('deadline'));",
      },
    ],
    set: 'gaps',
    within: 100,
    breaks: 'P9 unseen',
  },
  'pending-cut-off': {
    what: 'what must come back is cut off where it takes too many ranges',
    patches: [
      { file: SETTLE, find: 'export const MAX_PENDING_RANGES = 12_000;', put: 'export const MAX_PENDING_RANGES = 1;' },
      {
        file: SETTLE,
        find: 'return subtract(union(spanned, spanOf(spanned.slice(most - 1))), but);',
        put: 'return spanned.slice(0, most);',
      },
    ],
    set: 'lose',
    within: 1_000,
    breaks: 'P1 no loss',
  },
  'bare-claim-unwritten': {
    what: 'records run under a claim that holds no offsets, before anything holds them',
    patches: [
      {
        file: 'shared/ports/ledger-store.ts',
        find: 'export const MAX_CLAIMS = 4;',
        put: 'export const MAX_CLAIMS = 0;',
      },
      {
        file: 'shared/runtime/process-partition.ts',
        find: 'const isBare = item.claims.at(-1)?.offsets.length === 0;',
        put: 'const isBare = false;',
      },
    ],
    set: 'lose',
    within: 100,
    breaks: 'P2 order',
  },
  'then-called-by-hand': {
    what: 'what a handler returns is not awaited: its `then` is called, and may throw',
    patches: [
      {
        file: 'shared/runtime/handler-run.ts',
        find: 'void onceEnded(result, ended);',
        put: "(result as Promise<unknown>).then(() => ended({ type: 'succeeded' }), (error: unknown) => ended({ type: 'failed', error }));",
      },
    ],
    set: 'seams',
    within: 100,
    breaks: 'P9 kept',
  },
  'odd-throws-are-successes': {
    what: 'a handler that throws nothing counts as one that did its work',
    patches: [
      {
        file: 'shared/runtime/handler-run.ts',
        find: "end = { type: 'failed', error };",
        put: "if (error) end = { type: 'failed', error };",
      },
    ],
    set: 'seams',
    within: 100,
    breaks: 'P2 order',
  },
  'letter-of-another': {
    what: 'a record keeps the letter id that it came with',
    patches: [
      {
        file: 'shared/decide/dead-letter.ts',
        find: 'const id = deadLetterId(notice.cluster, notice.group, record, notice.idSuffix);',
        put: "const id = said.find(({ name }) => name === 'x-dead-letter-id')?.value.toString() ?? deadLetterId(notice.cluster, notice.group, record, notice.idSuffix);",
      },
    ],
    set: 'seams',
    within: 300,
    breaks: 'P7 one or the other',
  },
  'abandoned-and-forgotten': {
    what: 'the ledger does not keep what it leaves to the relay, which then gives it no letter',
    patches: [
      {
        file: SETTLE,
        find: 'abandoned: withBatch(abandoned, offsets, MAX_ABANDONED_RANGES, settled),',
        put: 'abandoned,',
      },
    ],
    set: 'lose',
    within: 50,
    breaks: 'P1 no loss',
  },
} as const satisfies Readonly<Record<string, Bug>>;
