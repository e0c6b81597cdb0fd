import type { Bug } from './bugs.ts';

/** Deliberate bugs about parked keys: of an earlier draft of the protocol each, or of its first code. */
export const PARKED_BUGS = {
  'parked-not-counted': {
    what: 'a key parks and nobody counts it',
    patches: [
      {
        file: 'shared/testing/fake-ledger-store.ts',
        find: '(before.parked ?? 0) + created',
        put: '(before.parked ?? 0)',
      },
    ],
    set: 'park',
    within: 200,
    breaks: 'P10 count',
  },
  'freed-still-counted': {
    what: 'a key is freed and the count stays',
    patches: [{ file: 'shared/testing/fake-ledger-store.ts', find: '(item.parked ?? 0) - 1', put: 'item.parked ?? 0' }],
    set: 'park',
    within: 200,
    breaks: 'P10 count',
  },
  'parking-moves-the-revision': {
    what: 'what parks moves the revision under which a release writes',
    patches: [
      {
        file: 'shared/testing/fake-ledger-store.ts',
        find: '{ ...known, tail: to }',
        put: '{ ...known, tail: to, rev: known.rev + 1 }',
      },
    ],
    set: 'park',
    within: 200,
    breaks: 'P9 kept',
  },
  'release-of-any-sequence': {
    what: 'a release runs over a key that was parked anew',
    patches: [
      {
        file: 'shared/release/claim-parked.ts',
        find: 'if (item?.sequence !== sequence || seen.partition === undefined)',
        put: 'if (item === undefined || seen.partition === undefined)',
      },
      {
        file: 'shared/release/run-release.ts',
        find: 'progress, toRedeliver, batchStart, sequence, leaseUntil };',
        put: 'progress, toRedeliver, batchStart, sequence: item.sequence, leaseUntil };',
      },
    ],
    set: 'park',
    within: 200,
    from: 54,
    breaks: 'P3 repeats',
  },
  'missing-ordinal-passed': {
    what: 'a release passes an ordinal whose letter it does not have',
    patches: [
      {
        file: 'shared/decide/release.ts',
        find: 'if (record === undefined) break;',
        put: 'if (record === undefined) continue;',
      },
      {
        file: 'shared/release/ask-release.ts',
        find: 'if (at === undefined) break;',
        put: 'if (at === undefined) continue;',
      },
      {
        file: 'shared/release/ask-release.ts',
        find: 'if (letter.ordinal !== first + start + index) return sent;',
        put: '',
      },
    ],
    set: 'park',
    within: 200,
    from: 544,
    breaks: 'P10 order',
  },
  'release-begins-anywhere': {
    what: 'a release begins with the first ordinal that came',
    patches: [
      {
        file: 'shared/decide/release.ts',
        find: 'for (let ordinal = settled + 1; ordinal <= tail; ordinal++) { const record',
        put: 'for (let ordinal = Math.min(settled + 1, ...byOrdinal.keys()); ordinal <= tail; ordinal++) { const record',
      },
    ],
    set: 'park',
    within: 200,
    breaks: 'P3 repeats',
  },
  'drop-of-what-came-since': {
    what: 'a drop takes what arrived after it was confirmed',
    patches: [
      {
        file: 'shared/release/drop-parked.ts',
        find: 'dropUpTo(known, Math.min(upTo, tail))',
        put: 'dropUpTo(known, upTo > 0 ? tail : 0)',
      },
    ],
    set: 'park',
    within: 200,
    breaks: 'P10 drop',
  },
  'freed-with-a-grown-tail': {
    what: 'a key is freed though more waits in it',
    patches: [
      {
        file: 'shared/testing/fake-ledger-store.ts',
        find: 'if (frees !== undefined && before.tail !== frees.tail)',
        put: 'if (frees !== undefined && before.tail < frees.tail)',
      },
    ],
    set: 'park',
    within: 200,
    from: 40,
    breaks: 'P10 loss',
  },
  'freed-before-the-end': {
    what: 'a release frees its key before all of it is settled',
    patches: [
      {
        file: 'shared/release/run-release.ts',
        find: 'settled >= tail ? (await lease.free(settled)).type',
        put: 'tail > 0 ? (await lease.free(tail)).type',
      },
    ],
    set: 'park',
    within: 200,
    breaks: 'P10 loss',
  },
  'marked-record-parks-anew': {
    what: 'after a crash a marked record gets another ordinal',
    patches: [
      {
        file: 'shared/runtime/admit.ts',
        find: "if (start.type === 'giveUp' && (start.isExhausted || !isParked)) {",
        put: "if (start.type === 'giveUp' && !isParked) {",
      },
      {
        file: 'shared/runtime/parked-keys-here.ts',
        find: 'offset >= record.offset && !blockedRecords.get(offset)?.exhausted',
        put: 'offset >= record.offset && blockedRecords.size >= 0',
      },
    ],
    set: 'park',
    within: 200,
    from: 17,
    breaks: 'P1 false wait',
  },
  'relay-sends-plain-letters': {
    what: 'the relay dead-letters records of parked keys',
    patches: [
      {
        file: 'shared/relay/relay-range.ts',
        find: '!(policy.park !== undefined || known.has(name))',
        put: "name !== ''",
      },
    ],
    set: 'parkLost',
    within: 200,
    breaks: 'P10 plain letter',
  },
  'relay-parks-marked-records-anew': {
    what: 'the relay gives a marked record another ordinal',
    patches: [
      {
        file: 'shared/relay/relay-range.ts',
        find: 'const isMarked = session.progress.blockedRecords.get(offset)?.exhausted === true;',
        put: 'const isMarked = false;',
      },
    ],
    set: 'parkLost',
    within: 200,
    breaks: 'P10 ordinals',
  },
  'relay-parks-all-or-none': {
    what: 'the relay parks nothing where not all of a range may be parked',
    patches: [
      {
        file: 'shared/relay/relay-range.ts',
        find: "if (marks.length === 0) return { type: 'again', why: 'no more may be parked' }; break;",
        put: "return { type: 'again', why: 'no more may be parked' };",
      },
    ],
    set: 'parkLost',
    within: 200,
    from: 178,
    breaks: 'P1 no loss',
  },
  'release-keeps-an-old-epoch': {
    what: 'a parked key counts epochs of its own',
    patches: [
      {
        file: 'shared/testing/fake-ledger-store.ts',
        find: 'claimed(item, { owner, leaseUntil, offsets }), epoch };',
        put: 'claimed(item, { owner, leaseUntil, offsets }), epoch: item.rev + 1 };',
      },
    ],
    set: 'park',
    within: 200,
    breaks: 'P10 fencing',
  },
  'release-beside-an-invocation': {
    what: 'a release takes its epoch from under an invocation that holds the partition',
    patches: [
      {
        file: 'shared/testing/fake-ledger-store.ts',
        find: '|| !isFree(item, now) || !isFree(held, now))',
        put: '|| !isFree(item, now))',
      },
      {
        file: 'shared/release/claim-parked.ts',
        find: 'if (!isHeld(item, now) && !isHeld(seen.partition, now)) {',
        put: 'if (!isHeld(item, now)) {',
      },
    ],
    set: 'park',
    within: 200,
    breaks: 'P6 fencing',
  },
  'two-releases-at-once': {
    what: 'a release takes a key that another one holds',
    patches: [
      {
        file: 'shared/testing/fake-ledger-store.ts',
        find: '|| !isFree(item, now) || !isFree(held, now))',
        put: '|| !isFree(held, now))',
      },
      {
        file: 'shared/release/claim-parked.ts',
        find: 'if (!isHeld(item, now) && !isHeld(seen.partition, now)) {',
        put: 'if (!isHeld(seen.partition, now)) {',
      },
    ],
    set: 'park',
    within: 200,
    from: 7,
    breaks: 'P2 overlap',
  },
  'release-forgets-the-dead': {
    what: 'a release takes from the partition what a dead invocation had claimed',
    patches: [
      {
        file: 'shared/testing/fake-ledger-store.ts',
        find: 'change(whole, held, { ...free, epoch, rev: held.rev + 1 });',
        put: 'change(whole, held, { ...free, claims: [], epoch, rev: held.rev + 1 });',
      },
    ],
    set: 'park',
    within: 200,
    from: 600,
    breaks: 'P5 deaths',
  },
  'parked-keys-not-looked-at': {
    what: 'nobody looks whether keys of the batch are parked',
    patches: [
      {
        file: 'shared/runtime/process-partition.ts',
        find: 'await parkedKeys?.look(run.partition, ports, { ...ports, giveUpAt: invocation.plan.abortAt });',
        put: '',
      },
    ],
    set: 'park',
    within: 200,
    breaks: 'P10 order',
  },
  'followers-are-tried': {
    what: 'what waits behind a parked record is tried',
    patches: [{ file: 'shared/runtime/admit.ts', find: "if (isParked) return { type: 'parked' };", put: '' }],
    set: 'park',
    within: 200,
    breaks: 'P10 order',
  },
  'release-gives-up': {
    what: 'a release dead-letters what fails in it',
    patches: [
      {
        file: 'shared/release/run-release.ts',
        find: 'maxConsecutiveDeadLetters: 0 },',
        put: 'maxConsecutiveDeadLetters: 100 },',
      },
    ],
    set: 'park',
    within: 200,
    breaks: 'P10 plain letter',
  },
  'marks-not-written': {
    what: 'ordinals are given out without a mark',
    patches: [
      {
        file: 'shared/runtime/held-progress.ts',
        find: 'marks.length === 0 ? this.progress : withMarks(this.progress, marks)',
        put: 'marks.length >= 0 ? this.progress : withMarks(this.progress, marks)',
      },
    ],
    set: 'park',
    within: 200,
    breaks: 'P10 plain letter',
  },
  'reset-without-letters': {
    what: 'a reset or a recreated topic forgets marks',
    patches: [
      {
        file: 'shared/decide/retry-policy.ts',
        find: 'const { goneMarks } = withGoneMarks(progress, marksAmong(progress.blockedRecords.values()));',
        put: 'const { goneMarks } = withGoneMarks(progress, marksAmong([]));',
      },
    ],
    set: 'parkAnew',
    within: 200,
    from: 12,
    breaks: 'P1 no loss',
  },
} as const satisfies Readonly<Record<string, Bug>>;
