import { alarmStates } from '../cli/alarm-states.ts';
import { type ConsumerStatus, consumerStatus, type PartitionStatus } from '../cli/consumer-state.ts';
import { commandTargetOf, isConsumerStuck, isStuck } from '../cli/status.ts';
import type { Target } from '../cli/target.ts';
import { partitionName, positionName } from '../shared/record/item-identifier.ts';
import type { KeptTarget } from './kept-target.ts';
import type { ConsumerView, Look, PartitionView, Point, Points, Said, SeenTry } from './messages.ts';
import { saidOf } from './said.ts';

/** A consumer that takes longer does not hold up the others. */
const PATIENCE_MS = 15_000;
/** Half an hour. */
const MOST_POINTS = 360;
/** Open letters are counted again after this time in any case. */
const COUNT_AFTER_MS = 60_000;
/** CloudWatch itself looks every minute. */
const ALARMS_AFTER_MS = 30_000;
const MOST_TRIES = 20;
/** A page shows the first ones; the command `lockstep blocked` lists all. */
const MOST_BLOCKED = 20;

type Consumer = Target['consumers'][number];

type AlarmsView = Pick<ConsumerView, 'alarms' | 'alarmsError'>;

interface SeenPartition {
  readonly next: number;
  readonly offset?: number;
  readonly tries: readonly SeenTry[];
}

interface Seen {
  readonly at: number;
  readonly partitions: ReadonlyMap<number, SeenPartition>;
}

/** Looks at all consumers of a target, and remembers what the plots and the time-lines need. */
export function looksAt(kept: KeptTarget, { local = false }: { readonly local?: boolean }) {
  const seen = new Map<string, Seen>();
  const points = new Map<string, Point[]>();
  const counted = new Map<
    string,
    { readonly total: number; readonly at: number; readonly open: { openLetters?: number } }
  >();
  const alarms = new Map<string, { readonly at: number; readonly view: Promise<AlarmsView> }>();
  const underWay = new Map<string, Promise<ConsumerStatus>>();

  /** A request that takes longer than a look is not sent a second time. */
  const statusOf = (consumer: Consumer): Promise<ConsumerStatus> => {
    const running = underWay.get(consumer.name);
    if (running !== undefined) return running;
    const fresh = kept.use((target) => freshStatus(target, consumer)).finally(() => underWay.delete(consumer.name));
    underWay.set(consumer.name, fresh);
    return fresh;
  };

  /** Open letters are counted by reading their topic: only after something was written to it, or deleted. */
  const freshStatus = async (target: Target, consumer: Consumer): Promise<ConsumerStatus> => {
    const status = await consumerStatus(target, consumer, Date.now(), 0, false);
    const known = counted.get(consumer.name);
    const total = status.onDeadLetterTopic;
    if (known?.total === total && Date.now() - known.at < COUNT_AFTER_MS) return { ...status, ...known.open };
    const { openLetters } = await target.operate(consumer, { type: 'topics', countLetters: true });
    const open = openLetters === undefined ? {} : { openLetters };
    counted.set(consumer.name, { total, at: Date.now(), open });
    return { ...status, ...open };
  };

  const alarmsOf = (consumer: Consumer): Promise<AlarmsView> => {
    const known = alarms.get(consumer.name);
    if (known !== undefined && Date.now() - known.at < ALARMS_AFTER_MS) return known.view;
    const view = within(kept.use((target) => alarmStates(target, consumer))).then(
      (states) => ({ alarms: states }),
      (error) => ({ alarms: [], alarmsError: saidOf(error) }),
    );
    alarms.set(consumer.name, { at: Date.now(), view });
    return view;
  };

  const viewOf = async (consumer: Consumer): Promise<ConsumerView> => {
    const { name, topic, stack } = consumer;
    const commandTarget = commandTargetOf({ local }, { consumer: name, stack });
    const common = { name, topic, commandTarget, ...(await alarmsOf(consumer)) };
    try {
      return { ...common, ...remembered(name, await within(statusOf(consumer))) };
    } catch (error) {
      return { ...common, isStuck: false, lag: 0, parked: 0, error: saidOf(error) };
    }
  };

  const remembered = (
    name: string,
    status: ConsumerStatus,
  ): Omit<ConsumerView, 'name' | 'topic' | 'commandTarget' | 'alarms'> => {
    const now = Date.now();
    const before = seen.get(name);
    const partitions = status.partitions.map((one) =>
      partitionView(status.topic, one, before?.partitions.get(one.partition), now),
    );
    const moved = status.partitions.reduce((sum, { partition, next }) => {
      const last = before?.partitions.get(partition)?.next;
      return sum + (last === undefined ? 0 : Math.max(0, next - last));
    }, 0);
    const perSecond =
      before === undefined ? undefined : Math.round((moved * 10_000) / Math.max(1, now - before.at)) / 10;
    const lag = status.partitions.reduce((sum, one) => sum + one.lag, 0);
    seen.set(name, {
      at: now,
      partitions: new Map(
        partitions.map(({ partition, next, blockedRecords: [first], tries }) => [
          partition,
          { next, tries, ...(first !== undefined && { offset: first.offset }) },
        ]),
      ),
    });
    points.set(name, [...(points.get(name) ?? []), { at: now, lag, perSecond: perSecond ?? null }].slice(-MOST_POINTS));
    return {
      status: { ...status, partitions },
      isStuck: isConsumerStuck(status, now),
      lag,
      parked: status.partitions.reduce((sum, { parked = 0 }) => sum + parked, 0),
      ...(perSecond !== undefined && { perSecond }),
    };
  };

  return {
    /** Never throws: what cannot be read is said where it belongs. */
    async look(): Promise<Look> {
      const at = Date.now();
      try {
        const consumers = await kept.use(async (target) => target.consumers);
        const names = new Set(consumers.map(({ name }) => name));
        for (const gone of [...seen.keys()].filter((name) => !names.has(name))) {
          seen.delete(gone);
          points.delete(gone);
          alarms.delete(gone);
        }
        return { at, consumers: await Promise.all(consumers.map(viewOf)) };
      } catch (error) {
        return { at, consumers: [], error: saidOf(error) };
      }
    },
    points: (): Points => Object.fromEntries(points),
  };
}

function partitionView(
  topic: string,
  status: PartitionStatus,
  before: SeenPartition | undefined,
  now: number,
): PartitionView {
  const { partition, blockedRecords } = status;
  const [first] = blockedRecords;
  return {
    ...status,
    name: partitionName({ topic, partition }),
    ...(first !== undefined && { record: positionName({ topic, partition, offset: first.offset }) }),
    isStuck: isStuck(status, now),
    blockedRecords: blockedRecords.slice(0, MOST_BLOCKED),
    moreBlocked: Math.max(0, blockedRecords.length - MOST_BLOCKED),
    tries: triesOf(status, before, now),
  };
}

/** The tries of the first blocked record: those that earlier looks saw, and a new one where its count has grown. */
function triesOf(
  { blockedRecords: [first] }: PartitionStatus,
  before: SeenPartition | undefined,
  now: number,
): readonly SeenTry[] {
  if (first === undefined) return [];
  const attempts = first.attempts + first.interruptions;
  const known = before?.offset === first.offset ? before.tries : [];
  if (known.at(-1)?.attempts === attempts) return known;
  const error = first.error === undefined ? {} : { error: `${first.error.name}: ${first.error.text}` };
  return [...known, { at: now, attempts, ...error }].slice(-MOST_TRIES);
}

async function within<T>(work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new NoAnswer()), PATIENCE_MS);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
    work.catch(() => undefined);
  }
}

class NoAnswer extends Error implements Said {
  readonly code = 'NO_ANSWER';

  constructor() {
    super(`no answer within ${PATIENCE_MS / 1_000} s; the request goes on`);
    this.name = this.code;
  }
}
