import type { Consumer, Kafka } from 'kafkajs';

const RESTART_AFTER_MS = 300;
/** How long a poller that leaves waits for the broker. After that the broker ends its session by itself. */
const LEAVE_WITHIN_MS = 5_000;
/** Partitions that are added to a topic are assigned within this time. */
const METADATA_MAX_AGE_MS = 1_000;

export interface GroupMemberOptions {
  readonly kafka: Kafka;
  readonly topic: string;
  readonly groupId: string;
  /** Called at each join. */
  readonly onJoin: (partitions: readonly number[]) => void;
  /** Called when a rebalance begins: the last moment to commit offsets of the old partitions. */
  readonly onRebalance: () => void;
  /** Called when it has lost its membership. It joins again. */
  readonly onCrash: (error: unknown) => void;
}

/** A member of a consumer group that always joins again until it leaves. It does not read records: other code does. */
export interface GroupMember {
  /**
   * Resolves when partitions are assigned, or when it has left before that. Rejects if no broker answers at first; then it has
   * left.
   */
  readonly joined: Promise<void>;
  /** The consumer while it is in the group: kafkajs refuses to commit before and after. */
  current(): Consumer | undefined;
  /** Ends it in any state, also while it is still joining. Never rejects. */
  leave(): Promise<void>;
}

export function joinGroup(options: GroupMemberOptions): GroupMember {
  const { kafka, topic, groupId } = options;
  const first = Promise.withResolvers<void>();
  let latest: Consumer | undefined;
  let member: Consumer | undefined;
  let restart: NodeJS.Timeout | undefined;
  let leaving: Promise<void> | undefined;

  const connectAndRun = async (consumer: Consumer): Promise<void> => {
    await consumer.connect();
    if (leaving === undefined) await consumer.subscribe({ topic, fromBeginning: true });
    if (leaving === undefined) await consumer.run({ autoCommit: false, eachBatch: async () => {} });
    // It had to leave meanwhile, when there was nothing to end yet.
    if (leaving !== undefined) await consumer.disconnect();
  };

  const join = (): Promise<void> => {
    const consumer = kafka.consumer({
      groupId,
      // It sends heartbeats and ends between two waits.
      maxWaitTimeInMs: 100,
      heartbeatInterval: 500,
      sessionTimeout: 6_000,
      rebalanceTimeout: 10_000,
      metadataMaxAge: METADATA_MAX_AGE_MS,
      retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 8, restartOnFailure: async () => false },
    });
    latest = consumer;
    const { events } = consumer;
    consumer.on(events.GROUP_JOIN, ({ payload }) => {
      if (latest !== consumer || leaving !== undefined) return;
      member = consumer;
      // All partitions, also of later assignments: otherwise kafkajs would read them itself.
      consumer.pause([{ topic }]);
      options.onJoin(payload.memberAssignment[topic] ?? []);
      first.resolve();
    });
    consumer.on(events.STOP, () => {
      if (member === consumer) member = undefined;
    });
    consumer.on(events.REBALANCING, options.onRebalance);
    consumer.on(events.CRASH, ({ payload }) => {
      if (latest === consumer) joinLater(payload.error);
    });
    return connectAndRun(consumer);
  };

  const joinLater = (error: unknown): void => {
    if (leaving !== undefined) return;
    options.onCrash(error);
    clearTimeout(restart);
    restart = setTimeout(() => {
      joining = join().catch(joinLater);
    }, RESTART_AFTER_MS);
  };

  const end = async (): Promise<void> => {
    clearTimeout(restart);
    first.resolve();
    const goodbye = async () => {
      await latest?.disconnect();
      await joining;
    };
    let patience: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      patience = setTimeout(resolve, LEAVE_WITHIN_MS);
    });
    await Promise.race([goodbye().catch(() => {}), late]);
    clearTimeout(patience);
    member = undefined;
  };
  const leave = (): Promise<void> => {
    leaving ??= Promise.resolve().then(end);
    return leaving;
  };

  let joining: Promise<void> = join().catch((error: unknown) => {
    first.reject(error);
    void leave();
  });
  return { joined: first.promise, current: () => member, leave };
}
