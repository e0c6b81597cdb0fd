import { PARKED_BUGS } from './parked-bugs.ts';
import type { Patch } from './patch-modules.ts';
import { PATTERN_BUGS } from './pattern-bugs.ts';
import { SEAM_BUGS } from './seam-bugs.ts';
import type { SetName } from './settings.ts';

/** A deliberate bug: a promise broken on purpose, to show that the properties notice. */
export interface Bug {
  readonly what: string;
  readonly patches: readonly Patch[];
  /** The fault set that finds it soonest. */
  readonly set: SetName;
  /** Runs within which it is found. */
  readonly within: number;
  /** Seed of the first run, shortly before one that is known to find it: so the hunt is short until something changes. @default 1 */
  readonly from?: number;
  /** Which property finds it. */
  readonly breaks: string;
}

const LEDGER = 'shared/testing/fake-ledger-store.ts';
const LEASE = 'shared/runtime/lease.ts';
const PARTITION = 'shared/runtime/process-partition.ts';
const VERDICT = 'shared/runtime/follow-verdict.ts';
const CONCLUDE = 'shared/runtime/conclude.ts';
const TURN = 'shared/runtime/turn.ts';
const CLAIM = 'shared/decide/claim.ts';
const RECREATION = 'shared/decide/recreation.ts';
const SETTLE = 'shared/decide/settle.ts';
const IDEMPOTENCY = 'shared/decide/idempotency.ts';
const RELAY = 'shared/decide/relay.ts';

/** By name. Each must be found: test/simulation/bugs.test.ts. */
export const BUGS = {
  'no-epoch-condition': {
    what: 'the ledger takes any write',
    patches: [
      {
        file: LEDGER,
        find: 'if (before === undefined || before.epoch !== epoch || before.owner !== owner || before.rev !== rev)',
        put: 'if (before === undefined)',
      },
    ],
    set: 'base',
    within: 200,
    from: 12,
    breaks: 'P6 fencing',
  },
  'no-rev-condition': {
    what: 'a write that lands after its successor is taken',
    patches: [
      {
        file: LEDGER,
        find: '(before === undefined || before.epoch !== epoch || before.owner !== owner || before.rev !== rev)',
        put: '(before === undefined || before.epoch !== epoch || before.owner !== owner)',
      },
    ],
    set: 'base',
    within: 200,
    from: 24,
    breaks: 'P6 fencing',
  },
  'claim-without-lease': {
    what: 'a claim keeps nobody else out',
    patches: [{ file: LEDGER, find: 'owner, leaseUntil, claims: [...', put: 'owner, leaseUntil: 0, claims: [...' }],
    set: 'base',
    within: 1_000,
    from: 777,
    breaks: 'P2 overlap',
  },
  'claim-not-pending': {
    what: 'what a dead invocation had claimed is not waited for',
    patches: [
      {
        file: LEDGER,
        find: 'const claim = { owner, offsets, ...(first !== undefined && { first }) };',
        put: 'const claim = { owner, offsets: NO_OFFSETS };',
      },
      { file: LEASE, find: 'claimed: next.toRedeliver,', put: 'claimed: [],' },
    ],
    set: 'lose',
    within: 100,
    breaks: 'P2 order',
  },
  'first-record-only-answer': {
    what: 'only the first unsettled record is reported, not what follows it',
    patches: [
      {
        file: 'shared/decide/batch-response.ts',
        find: 'offset >= firstUnsettled',
        put: 'offset === firstUnsettled',
      },
    ],
    set: 'base',
    within: 100,
    breaks: 'P8 answer',
  },
  'foreign-identifier': {
    what: 'an answer names an offset that was not in the event',
    patches: [
      {
        file: 'shared/decide/batch-response.ts',
        find: 'partition: identifier, offset }',
        put: 'partition: identifier, offset: offset + 1 }',
      },
    ],
    set: 'base',
    within: 100,
    breaks: 'P8 answer',
  },
  'settled-before-letter': {
    what: 'a record counts as settled before its letter is acknowledged',
    patches: [
      {
        file: CONCLUDE,
        find: 'const letter = await sendLetter(',
        put: "lease.settle(run.settlingOf(record, 'deadLettered')); await lease.write(); const letter = await sendLetter(",
      },
    ],
    set: 'base',
    within: 50,
    breaks: 'P1 no loss',
  },
  'letter-without-write': {
    what: 'a letter is sent before the ledger says that the record is exhausted',
    patches: [
      { file: CONCLUDE, find: 'if (!blockedRecordOf(run.lease.progress, record).exhausted) {', put: 'if (false) {' },
    ],
    set: 'base',
    within: 300,
    from: 24,
    breaks: 'P7 one or the other',
  },
  'relay-without-write': {
    what: 'the relay sends letters without marking their records',
    patches: [{ file: RELAY, find: 'exhausted: true,', put: 'exhausted: false,' }],
    set: 'lose',
    within: 200,
    from: 7_300,
    breaks: 'P7 one or the other',
  },
  'no-wait-for-missing': {
    what: 'a batch that overtook a retry runs',
    patches: [{ file: CLAIM, find: 'if (waitsFor === undefined) {', put: 'if (waitsFor === undefined || true) {' }],
    set: 'lose',
    within: 50,
    breaks: 'P2 order',
  },
  'abandoned-without-relay': {
    what: 'what the mapping lost is forgotten instead of given to the relay',
    patches: [
      {
        file: VERDICT,
        find: "await ports.fallback.send({ type: 'abandoned', partition: place, offsets: verdict.offsets });",
        put: '',
      },
    ],
    set: 'lose',
    within: 200,
    breaks: 'P2 order',
  },
  'abandoned-at-once': {
    what: 'a missing record counts as lost by the mapping at the first sight of a later one',
    patches: [{ file: CLAIM, find: 'export const LATER_BATCHES = 3;', put: 'export const LATER_BATCHES = 0;' }],
    set: 'lose',
    within: 50,
    breaks: 'P1 false abandon',
  },
  'holes-settled': {
    what: 'offsets before a batch count as settled with its first record',
    patches: [
      {
        file: 'shared/runtime/settling.ts',
        find: 'previous === undefined ? offset :',
        put: 'previous === undefined ? Math.max(0, offset - 3) :',
      },
    ],
    set: 'lose',
    within: 300,
    breaks: 'P1 no loss',
  },
  'attempts-forgotten': {
    what: 'blocked records are not kept over a release',
    patches: [
      {
        file: LEASE,
        find: 'release ? { ...next.progress, pending:',
        put: 'release ? { ...next.progress, blockedRecords: new Map(), pending:',
      },
    ],
    set: 'gaps',
    within: 50,
    breaks: 'P5 attempts',
  },
  'isolation-left-early': {
    what: 'crash isolation ends with the first claim after a death',
    patches: [{ file: SETTLE, find: 'next <= isolateUntil ? progress : rest', put: 'rest' }],
    set: 'gaps',
    within: 100,
    breaks: 'P5 deaths',
  },
  'isolation-forgotten': {
    what: 'crash isolation is not kept over a release',
    patches: [
      {
        file: LEASE,
        find: 'release ? { ...next.progress, pending:',
        put: 'release ? { ...next.progress, isolateUntil: undefined, pending:',
      },
    ],
    set: 'gaps',
    within: 500,
    from: 42,
    breaks: 'P5 deaths',
  },
  'interruptions-uncounted': {
    what: 'a death in crash isolation is put down to nobody',
    patches: [
      { file: CLAIM, find: 'interruptions: blocked.interruptions + 1', put: 'interruptions: blocked.interruptions' },
    ],
    set: 'gaps',
    within: 100,
    breaks: 'P5 deaths',
  },
  'running-not-written': {
    what: 'crash isolation does not write ahead which record it tries',
    patches: [
      {
        file: TURN,
        find: "lease.update((progress) => ({ ...progress, running: { offset, timestamp, valueHash } })); const written = await lease.write(); if (written.type === 'written') return undefined;",
        put: 'if (true) return undefined;',
      },
    ],
    set: 'gaps',
    within: 100,
    breaks: 'P5 deaths',
  },
  'settled-is-a-number': {
    what: 'a settled offset is a duplicate, whatever record stands there',
    patches: [
      {
        file: CLAIM,
        find: 'records.find((record) => isOfAnotherLife(takenOver, record));',
        put: 'records.find(() => false);',
      },
    ],
    set: 'recreate',
    within: 100,
    breaks: 'P1 no loss',
  },
  'recreation-not-written': {
    what: 'a recreated topic is first written down with the next checkpoint',
    patches: [{ file: PARTITION, find: 'if ((recreatedBy !== undefined || isBare) &&', put: 'if (isBare &&' }],
    set: 'recreate',
    within: 500,
    from: 414,
    breaks: 'P5 deaths',
  },
  'cluster-left-out': {
    what: 'the same ledger item for another cluster',
    patches: [
      {
        file: 'shared/record/item-identifier.ts',
        // biome-ignore lint/suspicious/noTemplateCurlyInString: the code that is looked for
        find: 'const place = `${cluster}#${group}#${topic}#${partition}`;',
        // biome-ignore lint/suspicious/noTemplateCurlyInString: the code that is put
        put: 'const place = `any#${group}#${topic}#${partition}`;',
      },
    ],
    set: 'move',
    within: 200,
    breaks: 'P1 false halt',
  },
  'ran-ahead-forgotten': {
    what: 'the oldest settled ranges are forgotten above a blocked record that still blocks',
    patches: [
      { file: SETTLE, find: 'export const REMEMBERED_BATCHES = 64;', put: 'export const REMEMBERED_BATCHES = 4;' },
      { file: SETTLE, find: 'const keepFrom = Math.min(', put: 'const keepFrom = Math.max(1e9, ' },
    ],
    set: 'wide',
    within: 300,
    breaks: 'P1 false halt',
  },
  'lease-ignored': {
    what: 'records start after the lease has ended',
    patches: [
      { file: LEASE, find: 'export const LEASE_MARGIN_MS = 3_000;', put: 'export const LEASE_MARGIN_MS = -1e9;' },
    ],
    set: 'stall',
    within: 1_200,
    from: 1_100,
    breaks: 'P2 overlap',
  },
  'stalled-and-released': {
    what: 'a partition is given back while its handler still runs',
    patches: [{ file: PARTITION, find: 'if (stalled) {', put: 'if (false) {' }],
    set: 'stall',
    within: 300,
    breaks: 'P2 overlap',
  },
  'key-completed-late': {
    what: 'a key is completed after its record counts as settled',
    patches: [
      { file: LEASE, find: "await this.#complete(completions); if (this.isOver) return { type: 'lost' };", put: '' },
      {
        file: LEASE,
        find: 'const written = this.#written(answer, request);',
        put: 'await this.#complete(completions); const written = this.#written(answer, request);',
      },
    ],
    set: 'keys',
    within: 50,
    breaks: 'P3 repeats',
  },
  'keys-outlive-their-holder': {
    what: 'keys are kept through a halt, and a claim on a key does not end with its holder',
    patches: [
      { file: PARTITION, find: 'if (!lease.isOver) await keys?.giveBackUnsettled();', put: '' },
      {
        file: IDEMPOTENCY,
        find: 'holder !== undefined && holder.epoch === epoch && holder.owner !== undefined && holder.leaseUntil >= now',
        put: 'holder !== undefined',
      },
    ],
    set: 'keys',
    within: 300,
    from: 40,
    breaks: 'P1 no loss',
  },
  'keys-not-asked': {
    what: 'an idempotency key that another partition completed is not a duplicate',
    patches: [{ file: IDEMPOTENCY, find: "if (item.status === 'COMPLETED') {", put: 'if (false) {' }],
    set: 'keys',
    within: 50,
    breaks: 'P3 repeats',
  },
  'effects-unconditional': {
    what: 'effects are committed beside the ledger, not with it',
    patches: [
      {
        file: LEDGER,
        find: 'const { epoch, owner, rev } = request;',
        put: 'const { epoch, owner, rev } = request; effects.push(...(request.effects ?? []));',
      },
      {
        file: LEDGER,
        find: "const reasons = [...unparked, ...refusals(wanted)]; if (reasons.length > 0) return { type: 'cancelled', reasons }; void keys?.complete(completions); effects.push(...wanted);",
        put: "const reasons = [...unparked, ...refusals(wanted)]; if (reasons.length > 0) return { type: 'cancelled', reasons }; void keys?.complete(completions);",
      },
    ],
    set: 'base',
    within: 300,
    breaks: 'P4 effects',
  },
  'keys-unordered': {
    what: 'records of one key run side by side',
    patches: [{ file: 'shared/runtime/schedule.ts', find: 'record.encodedKey ?? record', put: 'record' }],
    set: 'base',
    within: 50,
    breaks: 'P2 overlap',
  },
  'key-claim-outlives-a-lapse': {
    what: 'a key that was claimed before the host stood still past its lease is not asked for again',
    patches: [{ file: LEASE, find: 'if (!this.#leaseCovers()) this.lapses++;', put: '' }],
    set: 'stall',
    within: 12_000,
    breaks: 'P3 repeats',
  },
  'holder-judged-late': {
    what: "whether a key's holder lives is judged when the answer is read, not when it was asked for",
    patches: [
      {
        file: 'shared/runtime/key-claims.ts',
        find: 'isHolderAlive(await ledger.read(partition), holder, askedAt)',
        put: 'isHolderAlive(await ledger.read(partition), holder, clock.now())',
      },
    ],
    set: 'stall',
    within: 100,
    from: 3_017_800,
    breaks: 'P2 overlap',
  },
  'starts-after-a-freeze': {
    what: 'the lease is not looked at any more before a single record is called',
    patches: [
      {
        file: 'shared/runtime/admit.ts',
        find: 'return lease.mayStartAt(now) || lease.mayStart();',
        put: 'return true;',
      },
      {
        file: 'shared/runtime/call-handler.ts',
        find: 'if (lease.mayStartAt(now)) return',
        put: 'return',
      },
    ],
    set: 'keys',
    within: 1_000,
    from: 671,
    breaks: 'P2 overlap',
  },
  'replay-is-not-pending': {
    what: 'forgotten offsets that an operator lets run again are not waited for, nor run in crash isolation after a death',
    patches: [
      { file: CLAIM, find: '{ floor = 0, runBelow = 0 }: Progress', put: '{ floor = 0 }: Progress, runBelow = 0' },
    ],
    set: 'rewind',
    within: 2_000,
    breaks: 'P5 deaths',
  },
  'exhausted-and-forgotten': {
    what: 'the relay forgets that it marked a record which Kafka no longer holds',
    patches: [
      { file: 'shared/relay/relay-range.ts', find: 'exhausted && includesOffset(absent, offset)', put: 'false' },
    ],
    set: 'vanish',
    within: 200,
    from: 22_830,
    breaks: 'P7 one or the other',
  },
  'recreation-forgets-the-dead': {
    what: 'what dead invocations had claimed of a recreated topic is not waited for',
    patches: [
      {
        file: RECREATION,
        find: 'pending: union(union(pending, replayRefused), claimedByDead),',
        put: 'pending: union(pending, replayRefused),',
      },
    ],
    set: 'recreate',
    within: 1_000,
    from: 300,
    breaks: 'P2 order',
  },
  'recreation-forgets-pending': {
    what: 'what was pending of a recreated topic is not waited for',
    patches: [
      {
        file: RECREATION,
        find: 'pending: union(union(pending, replayRefused), claimedByDead),',
        put: 'pending: union(replayRefused, claimedByDead),',
      },
    ],
    set: 'recreate',
    within: 12_000,
    breaks: 'P1 no loss',
  },
  'recreation-unseen-in-claims': {
    what: 'what dead invocations had claimed is not looked at to recognise a recreated topic',
    patches: [{ file: CLAIM, find: 'firstOfDead.find((first) => isOfAnotherLife(item.progress, first)) ??', put: '' }],
    set: 'recreate',
    within: 1_000,
    from: 470,
    breaks: 'P2 order',
  },
  'dead-claim-is-known': {
    what: 'what a dead invocation had claimed without a look is taken for known',
    patches: [
      {
        file: CLAIM,
        find: "if (onReplay === 'skip' || offset",
        put: "if (onReplay === 'skip' || includesOffset(pending, offset) || offset",
      },
    ],
    set: 'recreate',
    within: 20_000,
    breaks: 'P8 answer',
  },
  'newest-of-settled': {
    what: 'only what is settled makes the newest known timestamp newer, not all that runs with it',
    patches: [
      {
        file: CLAIM,
        find: 'progress: { ...waiting, newestTimestamp }, verdict, refused',
        put: 'progress: waiting, verdict, refused',
      },
    ],
    set: 'base',
    within: 1_000,
    breaks: 'P1 false halt',
  },
  'replay-without-end': {
    what: 'what an operator let run again reaches what is forgotten afterwards',
    patches: [{ file: SETTLE, find: '...ending(progress, floor), settled', put: '...progress, settled' }],
    set: 'rewind',
    within: 100,
    from: 552_780,
    breaks: 'P3 repeats',
  },
  'turn-ends-unwritten': {
    what: 'another handler starts before it is written that one in crash isolation has ended',
    patches: [{ file: TURN, find: 'await lease.write();\n  ports.', put: 'ports.' }],
    set: 'gaps',
    within: 100,
    breaks: 'P5 innocent',
  },
  'expired-looks-new': {
    what: 'what expired in Kafka settles without making the newest known timestamp any newer',
    patches: [
      {
        file: 'shared/relay/relay-range.ts',
        find: 'const timestamp = Math.max(session.progress.newestTimestamp ?? 0, ports.clock.now());',
        put: 'const timestamp = session.progress.newestTimestamp ?? ports.clock.now();',
      },
    ],
    set: 'vanish',
    within: 500,
    from: 140,
    breaks: 'P3 repeats',
  },
  'waiting-forgets-the-dead': {
    what: 'what came back to an invocation that died still counts as missing',
    patches: [
      {
        file: CLAIM,
        find: 'return notWaiting;',
        put: 'return progress;',
      },
    ],
    set: 'lose',
    within: 6_000,
    breaks: 'P1 false abandon',
  },
  'no-checkpoints': {
    what: 'progress is written only at the end',
    patches: [
      {
        file: LEASE,
        find: "if (this.#checkpointing || checkpointMs === 'record') return;",
        put: 'if (true) return;',
      },
    ],
    set: 'gaps',
    within: 1_000,
    from: 90,
    breaks: 'P4 window',
  },
  ...PATTERN_BUGS,
  ...SEAM_BUGS,
  ...PARKED_BUGS,
} as const satisfies Readonly<Record<string, Bug>>;

export type BugName = keyof typeof BUGS;

export const BUG_NAMES = Object.keys(BUGS) as BugName[];
