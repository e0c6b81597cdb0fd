import { setTimeout as pause } from 'node:timers/promises';
import { systemClock } from '../shared/adapters/system/system-clock.ts';
import { systemEntropy } from '../shared/adapters/system/system-entropy.ts';
import { byPosition, text } from '../shared/lockstep-consumer.ts';
import { resolveOptions } from '../shared/options.ts';
import type { DeadLetter } from '../shared/ports/dead-letter-publisher.ts';
import { type KafkaEvent, parseKafkaEvent } from '../shared/record/kafka-event.ts';
import type { Ports } from '../shared/runtime/consumer.ts';
import { Invocation } from '../shared/runtime/invocation.ts';
import { processBatch } from '../shared/runtime/process-batch.ts';
import { Sandbox } from '../shared/runtime/sandbox.ts';
import { fakeIdempotencyKeyStore } from '../shared/testing/fake-idempotency-key-store.ts';
import { fakeLedgerStore } from '../shared/testing/fake-ledger-store.ts';
import { fakeStackSecret } from '../shared/testing/fake-stack-secret.ts';
import { kafkaEvent, record } from '../shared/testing/record.ts';

/** What a run is made of. */
export interface KeyOrderPlan {
  readonly records: number;
  readonly keys: number;
  readonly handlerMs: number;
  readonly concurrency: number;
  readonly order: 'partition' | 'key';
  /** Every record of this key fails, for ever. */
  readonly failingKey?: string;
}

/** What a run showed. */
export interface KeyOrderRun {
  readonly elapsedMs: number;
  readonly handled: number;
  readonly deliveries: number;
  readonly letters: readonly DeadLetter[];
  /** A violation of a key's order; absent if there is none. */
  readonly disorder?: string;
  /** Whether all records of other keys were handled before the failing key's first letter. */
  readonly othersFirst: boolean;
  /** Whether a record of the failing key was started before the letter of the one before it was acknowledged. */
  readonly followerTooEarly: boolean;
}

/** An invocation's time: the longest that a mapping's function may have. */
const INVOCATION_MS = 14 * 60_000;
const ACKNOWLEDGED_MS = 3;

/** Delivers one batch until nothing comes back, as the mapping would. */
export async function runKeyOrder(plan: KeyOrderPlan): Promise<KeyOrderRun> {
  const world = new KeyOrderWorld(plan);
  const consumer = resolveOptions(
    {
      value: text,
      idempotencyKey: byPosition,
      order: plan.order,
      maxConcurrency: plan.concurrency,
      retry: { backOffBaseMs: 50 },
      maxConsecutiveDeadLetters: Number.POSITIVE_INFINITY,
      onRecord: ({ key, offset }) => world.handle(key ?? '', offset),
    },
    { consumerGroup: 'bench', failureMode: 'report' },
  );
  const raw = Array.from({ length: plan.records }, (_, index) =>
    record({ key: `key-${index % plan.keys}`, value: Buffer.from(`value ${index}`) }),
  );
  const startedAt = performance.now();
  let due: KafkaEvent | undefined = kafkaEvent(raw);
  for (; due !== undefined; world.deliveries++) {
    const invocation = new Invocation(`request-${world.deliveries}`, INVOCATION_MS, systemClock);
    const { response } = await processBatch(consumer, parseKafkaEvent(due), invocation, world.ports());
    due = stillDue(due, new Set(response.batchItemFailures.map(({ itemIdentifier: { offset } }) => offset)));
  }
  return world.shown(performance.now() - startedAt);
}

function stillDue(event: KafkaEvent, reported: ReadonlySet<number>): KafkaEvent | undefined {
  if (reported.size === 0) return undefined;
  const rest = Object.entries(event.records).map(([name, raw]) => [
    name,
    raw.filter(({ offset }) => reported.has(offset)),
  ]);
  return { ...event, records: Object.fromEntries(rest) };
}

class KeyOrderWorld {
  deliveries = 0;
  readonly #plan: KeyOrderPlan;
  readonly #keys = fakeIdempotencyKeyStore();
  readonly #ledger = fakeLedgerStore({ keys: this.#keys });
  readonly #sandbox = new Sandbox();
  readonly #letters: DeadLetter[] = [];
  readonly #running = new Set<string>();
  readonly #lastOffset = new Map<string, number>();
  #handled = 0;
  #handledAtFirstLetter: number | undefined;
  #disorder: string | undefined;
  #followerTooEarly = false;

  constructor(plan: KeyOrderPlan) {
    this.#plan = plan;
  }

  async handle(key: string, offset: number): Promise<void> {
    if (this.#running.has(key)) this.#disorder = `two records of ${key} side by side`;
    if (offset < (this.#lastOffset.get(key) ?? -1)) this.#disorder = `${key} went back to offset ${offset}`;
    const isFailing = key === this.#plan.failingKey;
    // Of the failing key, one letter for each record before this one must be acknowledged.
    if (isFailing && this.#letters.length < Math.floor(offset / this.#plan.keys)) this.#followerTooEarly = true;
    this.#lastOffset.set(key, offset);
    this.#running.add(key);
    await pause(this.#plan.handlerMs);
    this.#running.delete(key);
    if (isFailing) throw new Error(`${key} never works`);
    this.#handled++;
  }

  ports(): Ports {
    return {
      ledger: this.#ledger,
      parkedKeys: this.#ledger.parkedKeys,
      keys: this.#keys,
      letters: {
        publish: async (letter) => {
          this.#handledAtFirstLetter ??= this.#handled;
          await pause(ACKNOWLEDGED_MS);
          this.#letters.push(letter);
        },
        disconnect: async () => undefined,
      },
      fallback: { send: async () => undefined },
      producer: { produce: async () => undefined },
      clock: systemClock,
      secret: fakeStackSecret,
      entropy: systemEntropy,
      telemetry: { log: SILENT, count: () => undefined },
      sandbox: this.#sandbox,
      endProcess: () => undefined,
      group: 'bench',
    };
  }

  shown(elapsedMs: number): KeyOrderRun {
    const { records, keys, failingKey } = this.#plan;
    const others = failingKey === undefined ? records : records - records / keys;
    return {
      elapsedMs,
      handled: this.#handled,
      deliveries: this.deliveries,
      letters: this.#letters,
      ...(this.#disorder !== undefined && { disorder: this.#disorder }),
      othersFirst: this.#handledAtFirstLetter === undefined || this.#handledAtFirstLetter === others,
      followerTooEarly: this.#followerTooEarly,
    };
  }
}

const SILENT = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
