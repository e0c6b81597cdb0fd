import {
  afterDelivery,
  afterOutcome,
  type Batch,
  committable,
  type Discard,
  emptyPoller,
  emptyQueue,
  fetched,
  type InvocationOutcome,
  type MappingRules,
  nextBatch,
  withQueue,
} from './decide.ts';
import type { EncodedRecord } from './encode-record.ts';

/** The end of an invocation, and the facts about it for a destination. */
export interface Ended {
  readonly outcome: InvocationOutcome;
  readonly requestId?: string;
}

export interface DispatcherOptions {
  readonly rules: MappingRules;
  /** Most invocations at once. */
  readonly concurrency: number;
  readonly now: () => number;
  /** @throws never */
  readonly invoke: (batch: Batch<EncodedRecord>) => Promise<Ended>;
  /** Delivers to the destination, or drops. @throws never */
  readonly giveUp: (discards: readonly Discard<EncodedRecord>[], ended?: Ended) => Promise<void>;
  readonly onFailed: (records: number) => void;
  /** Called when queues get longer or shorter. */
  readonly onChange: () => void;
}

/** The sending side of a poller: records in, invocations out. Several run at once, but only one for a partition. */
export interface Dispatcher {
  fetched(partition: string, records: readonly EncodedRecord[], next: number): void;
  /** Records that wait for their first try. */
  backlog(partition: string): { readonly records: number; readonly bytes: number };
  /** What may be committed of each partition that was fetched from. */
  committables(): ReadonlyMap<string, number>;
  /** The offset after the last one that was fetched, where one was. */
  position(partition: string): number | undefined;
  /** Forgets all partitions except these. The results of their running batches are ignored. */
  keepOnly(partitions: ReadonlySet<string>): void;
  /** Forgets a partition: it starts again with its next fetch. */
  forget(partition: string): void;
  /** Sends nothing new until `release`. */
  hold(): void;
  release(): void;
  /** Sends nothing new. Resolves when no batch is in flight. Called once. */
  drain(): Promise<void>;
}

export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { rules, now } = options;
  let state = emptyPoller<EncodedRecord>();
  let holds = 0;
  let underWay = 0;
  let invocations = 0;
  let timer: NodeJS.Timeout | undefined;
  let onIdle: (() => void) | undefined;

  const pump = (): void => {
    clearTimeout(timer);
    while (holds === 0 && invocations < options.concurrency) {
      const nowMs = now();
      const next = nextBatch(state, nowMs, rules);
      state = next.state;
      if (next.discards.length > 0) void giveUp(next.discards);
      if (next.type === 'wait') {
        if (Number.isFinite(next.untilMs)) timer = setTimeout(pump, Math.max(1, next.untilMs - nowMs));
        break;
      }
      void send(next.batch);
    }
    options.onChange();
  };

  const tracked = async (work: () => Promise<void>): Promise<void> => {
    underWay += 1;
    await work();
    underWay -= 1;
    if (underWay === 0) onIdle?.();
  };

  const send = (batch: Batch<EncodedRecord>): Promise<void> =>
    tracked(async () => {
      invocations += 1;
      const ended = await options.invoke(batch);
      invocations -= 1;
      const after = afterOutcome(state, batch, ended.outcome, now(), rules);
      state = after.state;
      if (after.failedCount > 0) options.onFailed(after.failedCount);
      if (after.discards.length > 0) void giveUp(after.discards, ended);
      pump();
    });

  const giveUp = (discards: readonly Discard<EncodedRecord>[], ended?: Ended): Promise<void> =>
    tracked(async () => {
      await options.giveUp(discards, ended);
      state = afterDelivery(state, discards);
    });

  return {
    fetched: (partition, records, next) => {
      const queue = state.queues.get(partition) ?? emptyQueue<EncodedRecord>(partition);
      state = withQueue(state, fetched(queue, records, next, now()));
      pump();
    },
    backlog: (partition) => {
      const queue = state.queues.get(partition);
      return { records: queue?.waiting.length ?? 0, bytes: queue?.waitingBytes ?? 0 };
    },
    committables: () => {
      const offsets = new Map<string, number>();
      for (const queue of state.queues.values()) {
        const offset = committable(queue);
        if (offset !== undefined) offsets.set(queue.name, offset);
      }
      return offsets;
    },
    position: (partition) => state.queues.get(partition)?.position,
    keepOnly: (partitions) => {
      state = { ...state, queues: new Map([...state.queues].filter(([name]) => partitions.has(name))) };
    },
    forget: (partition) => {
      state = { ...state, queues: new Map([...state.queues].filter(([name]) => name !== partition)) };
    },
    hold: () => {
      holds += 1;
    },
    release: () => {
      holds -= 1;
      pump();
    },
    drain: () => {
      holds += 1;
      clearTimeout(timer);
      return underWay === 0 ? Promise.resolve() : new Promise((resolve) => (onIdle = resolve));
    },
  };
}
