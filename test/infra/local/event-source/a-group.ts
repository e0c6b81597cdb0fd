import type { Consumer, Kafka } from 'kafkajs';

/** A kafkajs consumer as far as its life goes: like the real one it runs after `disconnect` if `run` is called then. */
export interface FakeConsumer {
  readonly connected: PromiseWithResolvers<void>;
  isMember: boolean;
  /** What comes of running. @default it joins */
  onRun: () => void;
  readonly paused: string[];
  readonly commits: [partition: number, offset: number][];
  /** The group gives it partitions, at first or again. */
  join(partitions: readonly number[]): void;
  /** Others join or leave: the last moment to commit. */
  rebalance(): void;
  crash(error: Error): void;
}

/** A client whose consumers join as told, and at once if `partitions` says so. */
export function fakeGroup(topic: string, partitions?: readonly number[]) {
  const made: FakeConsumer[] = [];
  const consumer = (): Consumer => {
    const listeners = new Map<string, ((event: unknown) => void)[]>();
    const emit = (name: string, payload?: unknown) => {
      for (const listener of listeners.get(name) ?? []) listener({ payload });
    };
    const self: FakeConsumer = {
      connected: Promise.withResolvers<void>(),
      isMember: false,
      onRun: () => self.join(partitions ?? [0]),
      paused: [],
      commits: [],
      join: (given) => emit('GROUP_JOIN', { memberAssignment: { [topic]: given } }),
      rebalance: () => emit('REBALANCING'),
      crash: (error) => {
        self.isMember = false;
        emit('STOP');
        emit('CRASH', { error });
      },
    };
    made.push(self);
    if (partitions !== undefined) self.connected.resolve();
    const fake: Partial<Consumer> = {
      events: new Proxy({} as Consumer['events'], { get: (_, name) => name }),
      on: ((name: string, listener: (event: unknown) => void) => {
        listeners.set(name, [...(listeners.get(name) ?? []), listener]);
      }) as Consumer['on'],
      connect: () => self.connected.promise,
      subscribe: async () => {},
      run: async () => {
        self.isMember = true;
        self.onRun();
      },
      pause: (given) => void self.paused.push(...given.map(({ topic: paused }) => paused)),
      commitOffsets: async (given) => {
        for (const { partition, offset } of given) self.commits.push([partition, Number(offset)]);
      },
      disconnect: async () => {
        self.isMember = false;
        emit('STOP');
      },
    };
    return fake as Consumer;
  };
  const kafka: Partial<Kafka> = { consumer };
  return { kafka: kafka as Kafka, made };
}
