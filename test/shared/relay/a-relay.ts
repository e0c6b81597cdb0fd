import type { DeadLetter } from '../../../shared/decide/dead-letter.ts';
import type { PartitionItem, Progress } from '../../../shared/decide/progress.ts';
import type { LogFields } from '../../../shared/ports/telemetry.ts';
import { relayPolicy } from '../../../shared/relay/connect-relay.ts';
import type { RelayPolicy, RelayPorts } from '../../../shared/relay/relay-ports.ts';
import { Invocation } from '../../../shared/runtime/invocation.ts';
import { fakeDeadLetterTopic, type LetterFault } from '../../../shared/testing/fake-dead-letter-topic.ts';
import { fakeFallbackQueue } from '../../../shared/testing/fake-fallback-queue.ts';
import { fakeIdempotencyKeyStore } from '../../../shared/testing/fake-idempotency-key-store.ts';
import { fakeLedgerStore } from '../../../shared/testing/fake-ledger-store.ts';
import { fakeStackSecret } from '../../../shared/testing/fake-stack-secret.ts';
import { fakeTopicLog } from '../../../shared/testing/fake-topic-log.ts';
import { VirtualClock } from '../../../shared/testing/virtual-clock.ts';
import { progressOf } from '../../fixtures/progress.ts';

export const PLACE = { cluster: 'cluster-1', group: 'billing', topic: 'orders', partition: 3 };
export const START = Date.UTC(2026, 0, 1);

/** A relay whose outside is in memory. */
export function aRelay(options: { policy?: Partial<RelayPolicy>; slice?: number } = {}) {
  const clock = new VirtualClock(START);
  const ledger = fakeLedgerStore();
  const faults: (LetterFault | undefined)[] = [];
  const letters = fakeDeadLetterTopic({ fault: () => faults.shift() });
  const fallback = fakeFallbackQueue();
  const log = fakeTopicLog(options.slice === undefined ? {} : { slice: options.slice });
  const counts = new Map<string, number>();
  const warnings: [string, LogFields | undefined][] = [];
  const lines = {
    debug: () => {},
    info: () => {},
    warn: (text: string, fields?: LogFields) => void warnings.push([text, fields]),
    error: () => {},
  };
  const telemetry = {
    log: lines,
    count: (name: string, value = 1) =>
      void counts.set(
        name,
        name.endsWith('Ms') ? Math.max(counts.get(name) ?? 0, value) : (counts.get(name) ?? 0) + value,
      ),
  };
  let ids = 0;
  const ports: RelayPorts = {
    ledger,
    parkedKeys: ledger.parkedKeys,
    deadLetterTopic: 'orders-dead-letters',
    keys: fakeIdempotencyKeyStore(),
    letters,
    fallback,
    log,
    clock,
    secret: fakeStackSecret,
    entropy: { random: () => 0.5, id: () => `id-${ids++}` },
    telemetry,
    cluster: PLACE.cluster,
    group: PLACE.group,
    topic: PLACE.topic,
  };
  const policy = relayPolicy({ maxAttempts: 5, maxInterruptions: 3, valuesDecodedByMapping: false }, options.policy);
  /** Runs work of one invocation, time moving as it needs. */
  const invoke = async <T>(work: (invocation: Invocation) => Promise<T>, remainingMs = 60_000): Promise<T> => {
    const invocation = new Invocation('request-1', remainingMs, clock);
    try {
      return await clock.runUntilSettled(work(invocation));
    } finally {
      invocation.end();
    }
  };
  /** Puts the partition's item there, released long ago unless said otherwise. */
  const place = (progress: Partial<Progress>, item: { owner?: string; leaseUntil?: number } = {}) =>
    ledger.place(PLACE, {
      epoch: 7,
      rev: 20,
      leaseUntil: START - 1_000_000,
      claims: [],
      progress: progressOf(progress),
      ...item,
    });
  return { clock, ledger, letters, faults, fallback, log, counts, warnings, ports, policy, invoke, place };
}

/** A header of a letter, as text. */
export function header(letter: DeadLetter | undefined, name: string): string | undefined {
  return letter?.headers.findLast((one) => one.name === name)?.value.toString();
}

/** An item of a recreated topic: a dead invocation's first record, at offset 2, is newer than all that settled. */
export const RECREATED: PartitionItem = {
  epoch: 7,
  rev: 20,
  owner: 'dead',
  leaseUntil: START - 400_000,
  claims: [
    {
      owner: 'dead',
      offsets: [{ from: 2, to: 8 }],
      first: { offset: 2, timestamp: START - 500_000, valueHash: 'new' },
    },
  ],
  progress: progressOf({ settled: [{ from: 0, to: 5 }], newestTimestamp: START - 900_000 }),
};

/** What is said of it. */
export const RECREATION_LINE = [
  'another record is at a known offset: the topic was recreated, and its progress starts again from nothing',
  { topic: 'orders', partition: 3, offset: 2 },
];
