import { describeOffsets } from '../decide/claim.ts';
import { DEFAULT_PARK_LIMITS, type Park, type ParkedKey, withoutGoneMark } from '../decide/parking.ts';
import type { BlockedRecord, Progress } from '../decide/progress.ts';
import { isNewBeforeMemory } from '../decide/recreation.ts';
import {
  aroundParkedMarks,
  decideOperationsClaim,
  dueForRelay,
  exhaustedRecord,
  hasOpenBefore,
  isDoubtful,
  isSkipped,
  type RelayCause,
  roomForLetters,
  stopWaiting,
  unknownToLedger,
  unsettledIn,
  withBlockedRecords,
  withoutAbsent,
} from '../decide/relay.ts';
import { claimsToBeReturned, type ReturnedRecord, readReturned } from '../decide/returned-record.ts';
import { MAX_BLOCKED_RECORDS } from '../decide/settle.ts';
import type { OriginalRecordAt } from '../ports/original-reader.ts';
import { type LedgerPartition, parkedKeyOf, positionName } from '../record/item-identifier.ts';
import {
  includesOffset,
  NO_OFFSETS,
  type OffsetRange,
  type OffsetRanges,
  rangesOf,
  subtract,
} from '../record/offset-ranges.ts';
import type { Offset } from '../record/units.ts';
import { shortHash } from '../record/value-hash.ts';
import { claimPartition } from '../runtime/claim-partition.ts';
import type { Invocation } from '../runtime/invocation.ts';
import { Lease } from '../runtime/lease.ts';
import { repeat } from '../runtime/repeat.ts';
import { reportTakeover } from '../runtime/report-claim.ts';
import { letterOf, letterOfExpired, letterOfGone } from './relay-letter.ts';
import type { RelayPolicy, RelayPorts } from './relay-ports.ts';

/** How many records one write marks as exhausted before their dead letters are sent. */
const EXHAUSTED_AT_ONCE = 50;

/** Offsets that Lambda will not deliver any more. */
export interface RelayRange {
  readonly partition: LedgerPartition;
  readonly offsets: OffsetRanges;
  readonly cause: RelayCause;
  /**
   * The relay dead-letters only offsets that the ledger has left to it, or that are pending. An entry of the queue is not
   * enough.
   */
  readonly mustBeDue?: true;
}

/** How a range ended. `again`: the rest must be tried again. */
export type RelayEnd =
  | { readonly type: 'done'; readonly letters: number }
  | { readonly type: 'again'; readonly letters: number; readonly why: string }
  /** The ledger has never left these offsets to the relay, so nothing was done with them. */
  | { readonly type: 'notDue'; readonly letters: number; readonly offsets: OffsetRanges };

/** What all steps of a range share. */
interface RangeRun {
  readonly ports: RelayPorts;
  readonly policy: RelayPolicy;
  readonly invocation: Invocation;
  readonly session: Lease;
  readonly range: RelayRange;
  readonly secret: Buffer;
  /** Parked keys of the partition, when it was claimed and since. */
  readonly keys: { count: number };
}

type Step = { readonly type: 'goOn'; readonly letters: number } | Extract<RelayEnd, { readonly type: 'again' }>;

/**
 * Reads a range back from Kafka and dead-letters each of its unsettled records, under a claim of its own that leaves nothing
 * pending. A record is first written as exhausted, then its dead letter is sent, then it counts as settled. Records that Kafka
 * does not hold any more get a dead letter that says so. May be repeated: settled records are skipped.
 *
 * @throws when ledger or broker cannot be reached in time
 */
export async function relayRange(
  range: RelayRange,
  ports: RelayPorts,
  policy: RelayPolicy,
  invocation: Invocation,
): Promise<RelayEnd> {
  const secret = await ports.secret();
  const owner = `relay-${ports.entropy.id()}`;
  const claim = await claimPartition(range.partition, owner, { offsets: NO_OFFSETS }, ports, policy, invocation);
  if (claim.type === 'busy') return { type: 'again', letters: 0, why: 'an invocation holds the partition' };
  const found = decideOperationsClaim(claim.item, owner, ports.clock.now(), policy);
  reportTakeover(ports.telemetry, range.partition, found);
  const session = new Lease(
    {
      partition: range.partition,
      owner,
      item: claim.item,
      progress: found.progress,
      toRedeliver: NO_OFFSETS,
      // Forgetting settled offsets is left to the consumer.
      batchStart: 0,
      leaseUntil: claim.leaseUntil,
      invocation,
    },
    ports,
    policy,
  );
  try {
    const unknown = range.mustBeDue === true ? unknownToLedger(found.progress, range.offsets) : NO_OFFSETS;
    const due = range.mustBeDue === true ? dueForRelay(found.progress, range.offsets) : range.offsets;
    const keys = { count: claim.item.parked ?? 0 };
    const end = await relayAll({ ports, policy, invocation, session, range: { ...range, offsets: due }, secret, keys });
    session.update(stopWaiting);
    if (session.isOver) return { type: 'again', letters: end.letters, why: 'the partition was lost' };
    const released = await session.write({ release: true });
    if (released.type === 'written' && end.type === 'done' && (await holdsAny(unknown, range, ports, invocation)))
      return { type: 'notDue', letters: end.letters, offsets: unknown };
    return released.type === 'written' ? end : { type: 'again', letters: end.letters, why: 'the partition was lost' };
  } finally {
    session.close();
  }
}

/**
 * Whether Kafka holds, or ever held, a record at any of these offsets. A recreated topic may not reach so far, or may have
 * gaps.
 */
async function holdsAny(
  offsets: OffsetRanges,
  { partition }: RelayRange,
  { log }: RelayPorts,
  { plan }: Invocation,
): Promise<boolean> {
  for (const { from, to } of offsets) {
    for (let next = from; next <= to; ) {
      const slice = await log.readRange(partition, { from: next, to }, plan.stallAt);
      if (slice.records.length > 0 || slice.logStart > next) return true;
      next = slice.next;
    }
  }
  return false;
}

async function relayAll(run: RangeRun): Promise<RelayEnd> {
  const { ports, session, range, invocation } = run;
  let letters = 0;
  for (const mark of session.progress.goneMarks ?? []) {
    if (!(await session.mayStart())) return { type: 'again', letters, why: 'the partition was lost' };
    await ports.letters.publish(letterOfGone(run, mark), invocation.plan.stallAt);
    session.update((progress) => withoutGoneMark(progress, mark));
  }
  for (const wanted of range.offsets) {
    for (let from = wanted.from; ; ) {
      // Records that an operator skipped are read, too: a record that is newer than everything settled is never skipped.
      const [next] = subtract([{ from, to: wanted.to }], session.progress.settled);
      if (from > wanted.to || next === undefined) break;
      if (ports.clock.now() >= invocation.plan.abortAt) return { type: 'again', letters, why: 'time is up' };
      const slice = await ports.log.readRange(range.partition, next, invocation.plan.stallAt);
      const expired = { from: next.from, to: Math.min(slice.logStart - 1, next.to) };
      const due = withoutOthers(run, slice.records).filter(
        ({ offset, record: { timestamp } }) => !isSkipped(session.progress, { offset, timestamp, valueHash: '' }),
      );
      const lost = expired.from > expired.to ? [] : unsettledIn(session.progress, expired);
      const pieces = lost.flatMap((range) => aroundParkedMarks(session.progress, range));
      const steps = [...pieces.map((range) => () => relayExpired(run, range)), () => relayRecords(run, due)];
      for (const step of steps) {
        const end = await step();
        letters += end.letters;
        if (end.type === 'again') return { ...end, letters };
      }
      const seen = { from: Math.max(next.from, slice.logStart), to: Math.min(slice.next - 1, next.to) };
      const present = rangesOf(slice.records.map(({ offset }) => offset));
      if (seen.from <= seen.to) {
        const absent = subtract([seen], present);
        for (const offset of exhaustedAmong(session.progress, absent)) {
          const end = await relayExpired(run, { from: offset, to: offset });
          letters += end.letters;
          if (end.type === 'again') return { ...end, letters };
        }
        session.update((progress) => withoutAbsent(progress, absent));
      }
      from = slice.next;
    }
  }
  return { type: 'done', letters };
}

/** Their dead letters may have been sent. If Lambda still delivers such a record, the handler must not get it. */
function exhaustedAmong({ blockedRecords }: Progress, absent: OffsetRanges): Offset[] {
  return [...blockedRecords.values()]
    .filter(({ offset, exhausted }) => exhausted && includesOffset(absent, offset))
    .map(({ offset }) => offset);
}

/** Kafka does not hold them any more: one dead letter for all, with what is known. */
async function relayExpired(run: RangeRun, expired: OffsetRange): Promise<Step> {
  if (expired.from > expired.to) return { type: 'goOn', letters: 0 };
  const { ports, session, invocation, range } = run;
  if (!(await session.mayStart())) return { type: 'again', letters: 0, why: 'the partition was lost' };
  ports.telemetry.log.error('records expired in Kafka before the relay could read them back', {
    topic: range.partition.topic,
    partition: range.partition.partition,
    offsets: describeOffsets([expired]),
  });
  const blocked = session.progress.blockedRecords.get(expired.from);
  await ports.letters.publish(letterOfExpired(run, expired, blocked), invocation.plan.stallAt);
  ports.telemetry.count('RecordsDeadLettered');
  // Their own time is not known. If Lambda still delivers one, it must not look newer than everything settled.
  const timestamp = Math.max(session.progress.newestTimestamp ?? 0, ports.clock.now());
  const record = { offset: expired.to, timestamp, valueHash: '' };
  session.settle({ record, from: expired.from, firstOfBatch: false, outcome: outcomeOf(blocked) });
  return { type: 'goOn', letters: 1 };
}

/** Dead-letters records that Kafka still holds, in chunks: one write first marks a chunk as exhausted. */
async function relayRecords(run: RangeRun, records: readonly OriginalRecordAt[]): Promise<Step> {
  const { ports, policy, session, range } = run;
  let letters = 0;
  for (let start = 0; start < records.length; ) {
    if (!(await session.mayStart())) return { type: 'again', letters, why: 'the partition was lost' };
    const known = await parkedAmong(run, records.slice(start, start + EXHAUSTED_AT_ONCE));
    const chunk = nextChunk(run, records.slice(start), known);
    if (chunk.length === 0) {
      ports.telemetry.count('FloodBreakerOpen');
      return { type: 'again', letters, why: 'the flood breaker is open' };
    }
    const now = ports.clock.now();
    const doubtful = new Set(chunk.flatMap(({ offset }) => (isDoubtful(session.progress, offset) ? offset : [])));
    const blockedRecords = chunk.map(({ offset, record }) => {
      const valueHash = policy.valuesDecodedByMapping ? '' : shortHash(record.value?.toString('base64') ?? null);
      return exhaustedRecord(session.progress, { offset, timestamp: record.timestamp, valueHash }, range.cause, now);
    });
    const marked = await markAll(run, chunk, blockedRecords, known);
    if (marked.type === 'again') return { ...marked, letters };
    start += marked.marks.length;
    for (const [index, at] of chunk.entries()) {
      const blocked = marked.marks[index];
      if (blocked === undefined) continue;
      if (!(await session.mayStart())) return { type: 'again', letters, why: 'the partition was lost' };
      const letter = letterOf(run, at, blocked, doubtful.has(at.offset), returnedOf(run, at));
      await ports.letters.publish(letter, run.invocation.plan.stallAt);
      // The record belongs to a recreated topic, as the next batch will show. The other records of that topic must still look
      // newer than everything settled.
      const isOfLaterTopic = isNewBeforeMemory(session.progress, blocked);
      const timestamp = (isOfLaterTopic ? session.progress.newestTimestamp : undefined) ?? blocked.timestamp;
      const record = { ...blocked, timestamp };
      session.settle({ record, from: at.offset, firstOfBatch: false, outcome: outcomeOf(blocked) });
      ports.telemetry.count(blocked.parked === undefined ? 'RecordsDeadLettered' : 'RecordsParked');
      letters++;
    }
  }
  return { type: 'goOn', letters };
}

/** A record that Lockstep wrote back says where it was first, and for which group it is. */
function returnedOf({ range, secret }: RangeRun, { record }: OriginalRecordAt): ReturnedRecord | undefined {
  const { topic, partition } = range.partition;
  const isClaimed = claimsToBeReturned(record.headers.at(-1)?.name);
  return isClaimed ? readReturned(secret, { topic, partition, ...record }) : undefined;
}

/** A record that was written back for another group is settled without a dead letter. */
function withoutOthers(run: RangeRun, records: readonly OriginalRecordAt[]): readonly OriginalRecordAt[] {
  const { ports, session } = run;
  return records.filter((at) => {
    const returned = returnedOf(run, at);
    if (returned === undefined || returned.group === ports.group) return true;
    const record = { offset: at.offset, timestamp: at.record.timestamp, valueHash: '' };
    session.settle({ record, from: at.offset, firstOfBatch: false, outcome: 'duplicate' });
    ports.telemetry.count('RecordsForOtherGroups');
    return false;
  });
}

/** Records that are exhausted already go on, even if the breaker is open: only their dead letter is repeated. */
function nextChunk(
  { session }: RangeRun,
  records: readonly OriginalRecordAt[],
  known: KeysParked,
): readonly OriginalRecordAt[] {
  let room = roomForLetters(session.progress);
  let heads = MAX_BLOCKED_RECORDS - session.progress.blockedRecords.size;
  const chunk: OriginalRecordAt[] = [];
  for (const at of records.slice(0, EXHAUSTED_AT_ONCE)) {
    if (session.progress.blockedRecords.get(at.offset)?.exhausted !== true) {
      const waits = at.record.key !== null && known.has(parkedKeyOf(at.record.key));
      if (heads-- <= 0 || (!waits && room-- <= 0)) break;
    }
    chunk.push(at);
  }
  return chunk;
}

/** What parks a key counts for the flood breaker, what waits behind it does not. */
function outcomeOf(blocked: BlockedRecord | undefined): 'parked' | 'deadLettered' {
  return blocked?.parked !== undefined && blocked.parked.ordinal > 1 ? 'parked' : 'deadLettered';
}

/** Of records that are read back, by the hash of their key. */
type KeysParked = ReadonlyMap<string, ParkedKey>;
const NONE: KeysParked = new Map();

/** Which of their keys are parked. */
async function parkedAmong(
  { ports, invocation, range, keys }: RangeRun,
  records: readonly OriginalRecordAt[],
): Promise<KeysParked> {
  const names = new Set(records.flatMap(({ record: { key } }) => (key === null ? [] : parkedKeyOf(key))));
  if (keys.count === 0 || names.size === 0) return NONE;
  const patience = { ...ports, giveUpAt: invocation.plan.abortAt };
  return repeat(() => ports.parkedKeys.look(range.partition, [...names]), patience);
}

type Marked = { readonly type: 'marked'; readonly marks: readonly BlockedRecord[] };

/**
 * Marks the first of these records, as many as may be parked. Where keys park, also free ones, no record gets a plain letter: it waits behind what
 * parked before it, untried.
 */
async function markAll(
  run: RangeRun,
  chunk: readonly OriginalRecordAt[],
  blockedRecords: readonly BlockedRecord[],
  known: KeysParked,
): Promise<Marked | { readonly type: 'again'; readonly why: string }> {
  const { session, policy, ports, range, keys } = run;
  const lost = { type: 'again', why: 'the partition was lost' } as const;
  const parks = new Map<string, Park>();
  const marks: BlockedRecord[] = [];
  for (const [index, { offset, record }] of chunk.entries()) {
    const blocked = blockedRecords[index];
    if (blocked === undefined) continue;
    const name = record.key === null ? undefined : parkedKeyOf(record.key);
    const isMarked = session.progress.blockedRecords.get(offset)?.exhausted === true;
    if (record.key === null || name === undefined || isMarked || !(policy.park !== undefined || known.has(name))) {
      marks.push(blocked);
      continue;
    }
    // Lambda may still deliver them, and one of them may be of this key: it would come behind this record.
    if (hasOpenBefore(session.progress, offset, range.offsets)) {
      if (marks.length === 0) return { type: 'again', why: 'an earlier record of the partition is not settled' };
      break;
    }
    const before = parks.get(name);
    const { sequence, tail, settled } = known.get(name) ?? { sequence: ports.entropy.id(), tail: 0, settled: 0 };
    const { maxPerKey, maxKeys } = policy.park ?? DEFAULT_PARK_LIMITS;
    const to = (before?.to ?? tail) + 1;
    const created = [...parks.values()].filter((park) => park.created !== undefined).length;
    const isFull = to - settled > maxPerKey || (tail === 0 && before === undefined && keys.count + created >= maxKeys);
    if (isFull) {
      ports.telemetry.count('ParkedKeysFull');
      if (marks.length === 0) return { type: 'again', why: 'no more may be parked' };
      break;
    }
    const position = positionName({ ...range.partition, offset });
    const shown = record.key.subarray(0, 256).toString('base64');
    const since = { since: ports.clock.now(), behind: position, fingerprint: blocked.fingerprint ?? '', key: shown };
    const park = before ?? { key: name, sequence, from: tail + 1, to, ...(tail === 0 && { created: since }) };
    parks.set(name, { ...park, to });
    marks.push({ ...blocked, parked: { sequence: park.sequence, ordinal: to } });
  }
  if (parks.size === 0) {
    session.update((progress) => withBlockedRecords(progress, marks));
    return (await session.write()).type === 'written' ? { type: 'marked', marks } : lost;
  }
  const park = [...parks.values()];
  const written = await session.commit({ settlings: [], completions: [], effects: [], park, marks });
  if (written.type === 'cancelled') return { type: 'again', why: 'a parked key was freed meanwhile' };
  if (written.type !== 'written') return lost;
  keys.count += park.filter(({ created }) => created !== undefined).length;
  return { type: 'marked', marks };
}
