import type { Random } from '../../shared/testing/random.ts';
import type { Scheduler } from '../../shared/testing/scheduler.ts';
import type { Faults } from './faults.ts';
import { type LogRecord, PartitionLog, type Script } from './kafka-log.ts';
import type { Settings } from './settings.ts';

/** Faults of a handler, and the script that each makes. */
const POISON = {
  fails: 'fails',
  failsForEver: 'fails',
  nonRetryable: 'nonRetryable',
  kills: 'kills',
  killsForEver: 'kills',
  hangs: 'hangs',
  blocks: 'blocks',
  pauses: 'pauses',
  undecodable: 'undecodable',
  slowHandler: 'slow',
  throwsOddly: 'throwsOddly',
  badThenable: 'badThenable',
} as const;

type Poison = keyof typeof POISON;

const FOR_EVER: readonly Poison[] = ['failsForEver', 'nonRetryable', 'killsForEver', 'undecodable'];

/** A record as a scenario has it. */
export interface PlannedRecord {
  readonly key?: string;
  readonly does?: Script['does'];
  readonly times?: number;
  /** Offsets before it that no consumer sees. */
  readonly gap?: number;
  /** Its idempotency key. */
  readonly id?: string;
  readonly timestamp?: number;
}

/** The producers: fills the topic's partitions. */
export class Topic {
  readonly logs = new Map<string, PartitionLog>();
  /** Every record of the run by its number. */
  readonly records: LogRecord[] = [];
  generation = 0;
  readonly #settings: Settings;
  readonly #faults: Faults;
  readonly #chance: Random;
  readonly #scheduler: Scheduler;
  readonly #plain: ReadonlySet<number>;
  readonly #onRecord: (record: LogRecord) => void;

  /** @param plain - numbers of records whose handler simply succeeds, for shrinking */
  constructor(
    settings: Settings,
    faults: Faults,
    scheduler: Scheduler,
    plain: ReadonlySet<number>,
    onRecord: (record: LogRecord) => void,
  ) {
    this.#settings = settings;
    this.#faults = faults;
    this.#scheduler = scheduler;
    this.#plain = plain;
    this.#onRecord = onRecord;
    this.#chance = faults.stream('topic');
    for (let partition = 0; partition < settings.partitions; partition++) {
      const log = new PartitionLog(partition, this.#chance.pick([0, 0, 50]));
      this.logs.set(log.place, log);
    }
  }

  /** Writes records to every partition, in turn. */
  fill(perPartition: number, ageMs = 0): void {
    for (let count = 0; count < perPartition; count++) for (const log of this.logs.values()) this.#write(log, ageMs);
    // Transaction markers at the end of the log, too.
    for (const log of this.logs.values()) if (this.#chance.chance(this.#settings.gapChance)) log.end++;
  }

  /** Writes just these. */
  write(partition: number, records: readonly PlannedRecord[]): void {
    const log = [...this.logs.values()][partition];
    if (log === undefined) throw new Error(`no partition ${partition}`);
    for (const { gap = 0, does = 'succeeds', times = 0, key = null, id, timestamp = this.#scheduler.now } of records) {
      log.end += gap;
      const index = this.records.length;
      const idempotencyKey = id ?? `id-${index}`;
      const content = `of ${idempotencyKey}`;
      this.#append(log, { key, timestamp, idempotencyKey, content, script: { does, times }, hasForeignHeaders: false });
    }
  }

  /** Deleted and created again, and filled: other records under the same offsets. */
  recreate(perPartition: number, ageMs: number): void {
    this.begin();
    this.fill(perPartition, ageMs);
  }

  /** An empty topic in a new life. */
  begin(): void {
    this.generation++;
    const fromZero = this.#chance.chance(0.5);
    for (const log of this.logs.values()) {
      const { start } = log;
      log.records = [];
      log.end = fromZero ? 0 : start;
    }
  }

  #write(log: PartitionLog, ageMs: number): void {
    const chance = this.#chance;
    if (chance.chance(this.#settings.gapChance)) {
      this.#faults.saw('gap');
      log.end += chance.between(1, 2);
    }
    const index = this.records.length;
    const twin = chance.chance(0.25) ? this.#twin() : undefined;
    // With the flood breaker open, a key that is used twice blocks for good, as it should.
    const reused = chance.chance(0.2) && this.#settings.set !== 'flood';
    const key = chance.chance(0.1) ? null : 'abcdefghijkl'.charAt(chance.between(0, this.#settings.keys - 1));
    const timestamp = this.#scheduler.now - ageMs + chance.between(-3_000, 3_000);
    const drawn = this.#script();
    const script: Script = this.#plain.has(index) ? { does: 'succeeds', times: 0 } : drawn;
    const idempotencyKey = twin?.idempotencyKey ?? `id-${index}`;
    const content = twin === undefined || reused ? `content-${index}` : twin.content;
    const hasForeignHeaders = this.#settings.kinds.has('foreignHeaders') && chance.chance(0.3);
    if (hasForeignHeaders) this.#faults.saw('foreignHeaders');
    this.#append(log, { key, timestamp, idempotencyKey, content, script, hasForeignHeaders });
  }

  #append(
    log: PartitionLog,
    what: Pick<LogRecord, 'key' | 'timestamp' | 'idempotencyKey' | 'content' | 'script' | 'hasForeignHeaders'>,
  ): void {
    const { place, partition, end: offset } = log;
    const record = { index: this.records.length, place, partition, generation: this.generation, offset, ...what };
    this.records.push(record);
    log.append(record);
    this.#onRecord(record);
  }

  /** A record that the producer writes twice; only where keys are to catch that. */
  #twin(): LogRecord | undefined {
    const same = this.records.filter(({ generation }) => generation === this.generation);
    const [first, ...rest] = same;
    return this.#settings.keyed && first !== undefined ? this.#chance.pick([first, ...rest]) : undefined;
  }

  #script(): Script {
    const chance = this.#chance;
    const isPoison = chance.chance(this.#settings.poisonChance);
    const times = chance.between(1, 4);
    const candidates = (Object.keys(POISON) as Poison[]).filter((kind) => this.#settings.kinds.has(kind));
    const [first, ...rest] = candidates;
    if (first === undefined) return { does: 'succeeds', times: 0 };
    const kind = chance.pick([first, ...rest]);
    if (!isPoison || !this.#faults.may(kind)) return { does: 'succeeds', times: 0 };
    this.#faults.saw(kind);
    const rare = kind === 'hangs' || kind === 'blocks' || kind === 'slowHandler';
    return { does: POISON[kind], times: FOR_EVER.includes(kind) ? Number.POSITIVE_INFINITY : rare ? 1 : times };
  }
}
