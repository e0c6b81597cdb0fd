import type { Consumer, EachBatchPayload, Kafka } from 'kafkajs';

const RESTART_AFTER_MS = 300;

export interface GroupMemberOptions {
  readonly kafka: Kafka;
  readonly topic: string;
  readonly groupId: string;
  /** Called at each joining, before anything is fetched for it. */
  readonly onJoin: (partitions: readonly number[]) => void;
  /** A rebalance begins: the last moment to commit for the partitions of before. */
  readonly onRebalance: () => void;
  /** Must return at once: kafkajs fetches nothing meanwhile. */
  readonly onFetch: (payload: EachBatchPayload) => void;
  /** Nothing but transaction markers and aborted records was fetched, which kafkajs hands to nobody. */
  readonly onGap: (partition: number, first: number, next: number) => void;
}

/** A kafkajs consumer that joins its group again whatever happened to it. */
export interface GroupMember {
  /** The consumer while it is in the group: kafkajs refuses to pause or commit before and after. */
  current(): Consumer | undefined;
  leave(): Promise<void>;
}

/** Reads committed transactions only. Returns once partitions are assigned. @throws if no broker answers */
export async function joinGroup(options: GroupMemberOptions): Promise<GroupMember> {
  const { kafka, topic, groupId } = options;
  let latest: Consumer | undefined;
  let member: Consumer | undefined;
  let isLeaving = false;
  let joined = (): void => {};
  const first = new Promise<void>((resolve) => {
    joined = resolve;
  });

  const join = async (): Promise<void> => {
    const consumer = kafka.consumer({
      groupId,
      // Or `disconnect` waits for the long poll.
      maxWaitTimeInMs: 100,
      heartbeatInterval: 500,
      sessionTimeout: 6_000,
      rebalanceTimeout: 10_000,
      readUncommitted: false,
      retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 8, restartOnFailure: async () => false },
    });
    latest = consumer;
    const { events } = consumer;
    consumer.on(events.GROUP_JOIN, ({ payload }) => {
      if (latest !== consumer) return;
      member = consumer;
      options.onJoin(payload.memberAssignment[topic] ?? []);
      joined();
    });
    consumer.on(events.STOP, () => {
      if (member === consumer) member = undefined;
    });
    consumer.on(events.REBALANCING, options.onRebalance);
    consumer.on(events.END_BATCH_PROCESS, ({ payload }) => {
      if (payload.batchSize > 0) return;
      const last = Number(payload.lastOffset);
      options.onGap(payload.partition, Number(payload.firstOffset ?? last), last + 1);
    });
    consumer.on(events.CRASH, () => {
      if (latest === consumer) joinLater();
    });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({ autoCommit: false, eachBatch: async (payload) => options.onFetch(payload) });
  };
  const joinLater = (): void => {
    setTimeout(() => {
      if (!isLeaving) join().catch(joinLater);
    }, RESTART_AFTER_MS);
  };
  const leave = async (): Promise<void> => {
    isLeaving = true;
    await latest?.disconnect().catch(() => {});
  };

  try {
    await join();
  } catch (error) {
    await leave();
    throw error;
  }
  await first;
  return { current: () => member, leave };
}
