import type { OriginalBytes, OriginalRecordAt } from '../ports/original-reader.ts';
import type { TopicLog } from '../ports/topic-log.ts';
import { partitionName, type TopicPartition } from '../record/item-identifier.ts';
import type { Offset } from '../record/units.ts';

/** Topics in memory with the port's semantics. */
export interface FakeTopicLog extends TopicLog {
  /** Puts a record at an offset. Offsets between it and the record before do not exist. */
  put(partition: TopicPartition, offset: Offset, record: Partial<OriginalBytes>): void;
  /** Retention deletes everything below `offset`. */
  expire(partition: TopicPartition, offset: Offset): void;
  /** Sets the group's committed offset. */
  commit(group: string, partition: TopicPartition, offset: Offset): void;
  /** Everything that a partition holds. */
  all(partition: TopicPartition): readonly OriginalRecordAt[];
}

interface FakePartition {
  readonly at: TopicPartition;
  start: Offset;
  end: Offset;
  records: OriginalRecordAt[];
}

/** @param slice - the most records of one answer */
export function fakeTopicLog({ slice = 1_000 }: { readonly slice?: number } = {}): FakeTopicLog {
  const partitions = new Map<string, FakePartition>();
  const commits = new Map<string, Offset>();
  const of = (at: TopicPartition): FakePartition => {
    const known = partitions.get(partitionName(at));
    if (known !== undefined) return known;
    const made = { at, start: 0, end: 0, records: [] };
    partitions.set(partitionName(at), made);
    return made;
  };
  const log: FakeTopicLog = {
    put(at, offset, record) {
      const partition = of(at);
      const bytes = { key: null, value: null, headers: [], timestamp: 1_000 + offset, ...record };
      partition.records.push({ offset, record: bytes });
      partition.end = offset + 1;
    },
    expire(at, offset) {
      const partition = of(at);
      partition.start = offset;
      partition.records = partition.records.filter((record) => record.offset >= offset);
    },
    commit: (group, at, offset) => void commits.set(`${group} ${partitionName(at)}`, offset),
    all: (at) => of(at).records,
    async read(position) {
      const { start, records } = of(position);
      if (position.offset < start) return { type: 'expired', logStart: start };
      const found = records.find(({ offset }) => offset === position.offset);
      return found === undefined ? { type: 'absent' } : { type: 'found', record: found.record };
    },
    async readRange(at, { from, to }) {
      const { start, records } = of(at);
      const within = records.filter(({ offset }) => offset >= from && offset <= to);
      const taken = within.slice(0, slice);
      const next = taken.length < within.length ? (taken.at(-1)?.offset ?? to) + 1 : to + 1;
      return { records: taken, next, logStart: start };
    },
    async *passThrough(at, { from, to }) {
      for (let next = from; next <= to; ) {
        const passing = await log.readRange(at, { from: next, to }, 0);
        yield passing;
        next = passing.next;
      }
    },
    async bounds(topic) {
      return [...partitions.values()]
        .filter(({ at }) => at.topic === topic)
        .map(({ at, start, end }) => ({ partition: at.partition, start, end }))
        .sort((a, b) => a.partition - b.partition);
    },
    async committed(group, topic) {
      const known = [...partitions.values()].filter(({ at }) => at.topic === topic);
      return new Map(
        known.flatMap(({ at }) => {
          const offset = commits.get(`${group} ${partitionName(at)}`);
          return offset === undefined ? [] : [[at.partition, offset] as const];
        }),
      );
    },
    async groups(topic) {
      const known = [...partitions.values()].filter(({ at }) => at.topic === topic);
      const names = [...commits.keys()].flatMap((key) => {
        const [group = '', place = ''] = key.split(' ');
        return known.some(({ at }) => partitionName(at) === place) ? group : [];
      });
      return [...new Set(names)];
    },
    disconnect: async () => undefined,
  };
  return log;
}
