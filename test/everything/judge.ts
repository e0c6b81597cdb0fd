import { isPoison, type PlannedRecord } from './plan.ts';

/** A record as an independent client of Kafka's own found it on the topic. */
export interface OnTopic extends PlannedRecord {
  /** Of the topic: a recreated topic begins a new one. */
  readonly life: number;
  readonly partition: number;
  readonly offset: number;
}

/** A line of the handler's own history. */
export interface HandlerEvent {
  readonly what: 'started' | 'done';
  readonly id: string;
  /** Epoch ms, this machine's clock. */
  readonly at: number;
}

/** A dead letter, on its topic or in the fallback queue. */
export interface FoundLetter {
  /** Of the record that it is for. */
  readonly id: string;
  readonly deadLetterId: string;
  readonly key: string;
  readonly value: string;
  /** Epoch ms; before it was sent. */
  readonly deadLetteredAt: number;
}

/** What the run looked like at a moment. */
export interface Sample {
  /** Epoch ms. */
  readonly at: number;
  /** Grows with each thing that gets done: a handling that ended, a letter. */
  readonly done: number;
  /** Of these, letters. @default not told */
  readonly letters?: number;
  /** Records that are produced, committed, and neither handled nor dead-lettered. */
  readonly waiting: number;
  /** Alarms that ring. */
  readonly ringing: readonly string[];
}

/** All that a run is judged by. */
export interface Evidence {
  readonly onTopic: readonly OnTopic[];
  /** Of aborted transactions. */
  readonly aborted: ReadonlySet<string>;
  /** In the order in which it was written. */
  readonly history: readonly HandlerEvent[];
  readonly letters: readonly FoundLetter[];
  readonly samples: readonly Sample[];
}

/** Nothing may happen for so long without an alarm. */
export const STANDSTILL_MS = 60_000;

/** What is wrong, by kind; nothing where every promise was kept. */
export function judge(evidence: Evidence): string[] {
  return [...lost(evidence), ...aborted(evidence), ...letters(evidence), ...order(evidence), ...unseen(evidence)];
}

/** Each record ends handled or with a letter, never both. */
function lost({ onTopic, history, letters }: Evidence): string[] {
  const done = new Set(history.filter(({ what }) => what === 'done').map(({ id }) => id));
  const lettered = new Set(letters.map(({ id }) => id));
  return onTopic.flatMap((record) => {
    const isDone = done.has(record.id);
    const isLettered = lettered.has(record.id);
    if (!isDone && !isLettered) return [`lost: ${nameOf(record)} was neither handled nor dead-lettered`];
    return isDone && isLettered ? [`both: ${nameOf(record)} was handled and dead-lettered`] : [];
  });
}

function aborted({ aborted: ids, history, letters }: Evidence): string[] {
  const seen = new Set([...history, ...letters].map(({ id }) => id).filter((id) => ids.has(id)));
  return [...seen].map((id) => `aborted: ${id} of an aborted transaction was handled or dead-lettered`);
}

/** Poison has one letter with its own bytes, anything else has none. */
function letters({ onTopic, letters: found }: Evidence): string[] {
  const records = new Map(onTopic.map((record) => [record.id, record]));
  const byRecord = Map.groupBy(found, ({ id }) => id);
  const missing = onTopic.filter((record) => isPoison(record) && !byRecord.has(record.id));
  const wrong = [...byRecord].flatMap(([id, ofRecord]) => {
    const record = records.get(id);
    if (record === undefined) return [`letter: one for ${id}, which is no record of the topic`];
    return [
      ...(isPoison(record) ? [] : [`letter: ${nameOf(record)} can succeed and has one`]),
      ...(new Set(ofRecord.map(({ deadLetterId }) => deadLetterId)).size > 1
        ? [`letter: ${nameOf(record)} has letters of several ids`]
        : []),
      ...(ofRecord.every(({ key, value }) => key === record.key && value === record.value)
        ? []
        : [`letter: that of ${nameOf(record)} has other bytes`]),
    ];
  });
  return [...missing.map((record) => `letter: ${nameOf(record)} has none`), ...wrong];
}

/** A record starts when every earlier one of its key, in its partition, is done or has its letter. */
function order({ onTopic, history, letters }: Evidence): string[] {
  const unitOf = ({ life, partition, key }: OnTopic) => `${life} ${partition} ${key}`;
  const records = new Map(onTopic.map((record) => [record.id, record]));
  const letteredAt = new Map<string, number>();
  for (const { id, deadLetteredAt } of letters)
    letteredAt.set(id, Math.min(deadLetteredAt, letteredAt.get(id) ?? Number.POSITIVE_INFINITY));
  const units = Map.groupBy(onTopic, unitOf);
  for (const unit of units.values()) unit.sort((a, b) => a.offset - b.offset);
  const place = new Map([...units.values()].flatMap((unit) => unit.map(({ id }, index) => [id, index] as const)));
  const done = new Set<string>();
  /** Of each unit: so many of its first records are settled. */
  const settled = new Map<string, number>();
  const findings: string[] = [];
  for (const { what, id, at } of history) {
    const record = records.get(id);
    if (record === undefined) continue;
    if (what === 'done') {
      done.add(id);
      continue;
    }
    const name = unitOf(record);
    const unit = units.get(name) ?? [];
    const isSettled = (one: OnTopic) => done.has(one.id) || (letteredAt.get(one.id) ?? Number.POSITIVE_INFINITY) <= at;
    let first = settled.get(name) ?? 0;
    for (let next = unit[first]; next !== undefined && isSettled(next); next = unit[first]) first++;
    settled.set(name, first);
    const blocking = unit[first];
    if (blocking !== undefined && first < (place.get(id) ?? 0))
      findings.push(`order: ${nameOf(record)} started before ${nameOf(blocking)} was settled`);
  }
  return findings;
}

/** Whenever nothing gets done though something waits, an alarm rings. */
function unseen({ samples }: Evidence): string[] {
  const findings: string[] = [];
  let from = 0;
  for (let index = 1; index <= samples.length; index++) {
    const [first, now] = [samples[from], samples[index]];
    if (first === undefined) break;
    if (now !== undefined && now.done === first.done && first.waiting > 0) continue;
    const still = samples.slice(from, index);
    const ms = (still.at(-1)?.at ?? first.at) - first.at;
    if (ms >= STANDSTILL_MS && first.waiting > 0 && still.every(({ ringing }) => ringing.length === 0))
      findings.push(
        `unseen: nothing got done for ${Math.round(ms / 1_000)} s, ${first.waiting} records waited, and no alarm rang`,
      );
    from = index;
  }
  return findings;
}

function nameOf({ id, life, partition, offset, does }: OnTopic): string {
  return `${id} (${does}, life ${life}, ${partition}@${offset})`;
}
