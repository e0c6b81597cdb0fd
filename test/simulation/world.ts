import { DEFAULT_PARK_LIMITS } from '../../shared/decide/parking.ts';
import { byPosition, resolveOptions } from '../../shared/options.ts';
import type { FallbackEntry } from '../../shared/ports/fallback-queue.ts';
import type { MetricName } from '../../shared/ports/telemetry.ts';
import { json } from '../../shared/record/decode.ts';
import type { DeliveredRecord } from '../../shared/record/delivered-record.ts';
import type { RecordHeader } from '../../shared/record/record-headers.ts';
import type { Consumer } from '../../shared/runtime/consumer.ts';
import type { Invocation } from '../../shared/runtime/invocation.ts';
import { Scheduler } from '../../shared/testing/scheduler.ts';
import type { TransactAction } from '../../shared/transact-action.ts';
import { type FaultPlan, Faults } from './faults.ts';
import { Fleet } from './fleet.ts';
import type { HistoryEvent, Moment, Violation } from './history.ts';
import { type LogRecord, type PartitionLog, TRUTH_HEADER } from './kafka-log.ts';
import { CLUSTERS, LedgerWorld } from './ledger-world.ts';
import { LetterTopic } from './letter-topic.ts';
import { Mapping } from './mapping.ts';
import { Operator } from './operator.ts';
import type { Oracle } from './oracles/oracle.ts';
import { oracles } from './oracles/oracles.ts';
import { RelayDesk } from './relay-desk.ts';
import type { HandlerWorld } from './script-handler.ts';
import type { Settings } from './settings.ts';
import { type PlannedRecord, Topic } from './topic.ts';
import { Truth } from './truth.ts';

/** From then on nothing goes wrong any more: all must come to rest. */
const FAULTS_END_MS = 900_000;
const LONGEST_MS = 12 * 60 * 60 * 1_000;
const GATE_MS = 300_000;

/** What a run may be told beside its seed. */
export interface WorldOptions {
  readonly plan: FaultPlan;
  readonly settings: Settings;
  /** Records whose handler simply succeeds. */
  readonly plain?: ReadonlySet<number>;
  /** Most records in a partition. */
  readonly mostRecords?: number;
  /** Keeps the history. */
  readonly traced?: boolean;
  /** What is in the topic, by partition; else drawn. */
  readonly records?: readonly (readonly PlannedRecord[])[];
}

/** One simulated life of a consumer: a topic, a mapping, the function, its ledger, its relay and operator functions, and what goes wrong. */
export class World {
  readonly scheduler = new Scheduler();
  readonly truth = new Truth();
  readonly settings: Settings;
  readonly faults: Faults;
  readonly topic: Topic;
  readonly table: LedgerWorld;
  readonly letters = new LetterTopic();
  readonly consumer: Consumer<unknown>;
  readonly handlers: HandlerWorld;
  readonly fleet: Fleet;
  readonly relay: RelayDesk;
  readonly operator: Operator;
  readonly mapping: Mapping;
  readonly isTraced: boolean;
  readonly history: Moment[] = [];
  readonly metrics = new Map<MetricName, number>();
  readonly #oracles: readonly Oracle[];
  readonly #mostRecords: number;
  readonly #done = new Set<string>();
  #violation: Violation | undefined;
  #owners = 0;
  readonly #invocations: Invocation[] = [];
  #isOver = false;
  #isRested = false;
  #isRecreating = false;
  /** How often records arrive beside a release. */
  #arrivals = 8;

  constructor({ plan, settings, plain = new Set(), mostRecords, traced = false, records }: WorldOptions) {
    this.settings = settings;
    this.isTraced = traced;
    this.#mostRecords = mostRecords ?? settings.recordsPerPartition;
    this.faults = new Faults(plan, () => this.scheduler.elapsed > FAULTS_END_MS);
    this.#oracles = oracles(settings, this.truth, (place) => this.#parkedKeys(place));
    this.topic = new Topic(settings, this.faults, this.scheduler, plain, (record) => this.truth.add(record));
    if (records === undefined) this.topic.fill(Math.min(this.#mostRecords, settings.recordsPerPartition));
    for (const [partition, planned] of (records ?? []).entries()) this.topic.write(partition, planned);
    this.table = new LedgerWorld(this.emit, this.#effect, this.#refusesEffect);
    this.consumer = consumerOf(settings);
    this.handlers = {
      emit: this.emit,
      chance: this.faults.stream('handlers'),
      transacts: settings.transacts,
      produces: settings.produces,
      runs: new Map(),
    };
    if (settings.plainDecoder) this.faults.saw('plainDecoder');
    this.fleet = new Fleet(this);
    this.mapping = new Mapping(this, this.topic.logs);
    this.relay = new RelayDesk(this);
    this.operator = new Operator(this);
  }

  get records(): readonly LogRecord[] {
    return this.topic.records;
  }

  /** Runs to the end, or to the first broken promise. */
  async run(): Promise<Violation | undefined> {
    this.mapping.start();
    this.#sweepNowAndThen();
    if (this.settings.parks) this.operator.looksAtParkedKeys();
    await this.scheduler.run(() => this.#violation !== undefined || this.#isRested || this.#isTooLong());
    if (this.#violation === undefined) {
      const stuck = this.#isRested
        ? undefined
        : this.#isTooLong()
          ? 'it never comes to rest'
          : 'nothing moves any more';
      this.emit({ type: 'rested', stuck });
    }
    this.#isOver = true;
    // Dead hosts never end their invocations; their signals' listeners would hold this world in memory.
    for (const invocation of this.#invocations) invocation.end();
    return this.#violation;
  }

  /** Everything that happens passes here: properties are checked first, then the truth learns it. */
  readonly emit = (event: HistoryEvent): void => {
    if (this.#isOver) return;
    const at = this.scheduler.elapsed;
    if (this.isTraced) this.history.push({ at, event });
    if (this.#violation !== undefined) return;
    for (const oracle of this.#oracles) {
      const found = oracle.observe(event, at);
      if (found === undefined) continue;
      this.#violation = found;
      return;
    }
    this.truth.observe(event, at);
    if (event.type === 'changed') this.#watch(event);
  };

  readonly #effect = (effect: TransactAction): void => {
    const record = this.#recordOf(effect);
    if (record !== undefined) this.emit({ type: 'effect', record });
  };

  readonly #refusesEffect = (effect: TransactAction): boolean => {
    const record = this.#recordOf(effect);
    if (record === undefined || !this.faults.happens('effectRefused', 0.05)) return false;
    this.emit({ type: 'effectRefused', record });
    return true;
  };

  /** Whose effect it is. */
  #recordOf(effect: TransactAction): LogRecord | undefined {
    const index = effect.Put?.Item?.['record']?.N;
    return index === undefined ? undefined : this.records[Number(index)];
  }

  /** An error that nobody foresaw. */
  broken(error: unknown): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#violation ??= { property: 'runtime', text: `an error that nobody foresaw: ${text}` };
  }

  /** The record that a letter or a record passed on came from, by its headers. */
  recordOf(headers: readonly RecordHeader[]): LogRecord | undefined {
    const index = headers.findLast(({ name }) => name === TRUTH_HEADER)?.value.toString('utf8');
    return this.records[Number(index)];
  }

  meter(metric: MetricName, value: number): void {
    this.metrics.set(metric, (this.metrics.get(metric) ?? 0) + value);
  }

  nextOwner(): number {
    return ++this.#owners;
  }

  /** A range is given to the relay, by a request that was sent at `sentAt`. */
  abandon(
    place: string,
    offsets: readonly number[],
    by: 'missingRecord' | 'sweep',
    entry: FallbackEntry,
    sentAt = this.scheduler.now,
  ): void {
    const toRedeliver = this.mapping.toRedeliver(place);
    this.emit({
      type: 'abandoned',
      place,
      offsets,
      by,
      toRedeliver: offsets.filter((offset) => toRedeliver.has(offset)),
      lateMs: this.scheduler.now - sentAt,
    });
    this.relay.accept(entry);
  }

  /** An invocation began, of the function or of the relay. */
  begun(invocation: Invocation): void {
    this.#invocations.push(invocation);
  }

  /** A batch is on its way. */
  sent(records: readonly LogRecord[]): void {
    if (!this.faults.happens('retention', 0.15)) return;
    const chance = this.faults.stream('retention-which');
    this.scheduler.in(chance.between(1, 5_000), () => {
      const [first, ...rest] = records.filter((record) => !this.truth.isDone(record));
      if (first !== undefined) this.vanish(chance.pick([first, ...rest]));
    });
  }

  /** Retention takes a record; never the last one, which compaction keeps too. */
  vanish(record: LogRecord): void {
    const log = this.topic.logs.get(record.place);
    if (log === undefined || log.records.at(-1)?.truth === record) return;
    log.take(record);
    this.mapping.forget(record);
    this.emit({ type: 'vanished', record });
  }

  /** A batch's outcome has reached the mapping. */
  afterBatch(failed: boolean): void {
    if (failed && this.faults.may('recreatedNewer') && this.#areIdle && this.#once('recreate', 0.1))
      this.#recreate('recreatedNewer', 0);
    this.scheduler.in(50, () => this.restedMaybe());
  }

  /** When all is consumed the rarer things happen, and then the schedule looks over the ledger; then it is over. */
  restedMaybe(): void {
    if (!this.mapping.isDone || !this.#areIdle || this.#isRested || this.#isRecreating) return;
    if (this.faults.may('groupRewound') && this.#once('rewind')) this.#rewind();
    else if (this.faults.may('recreatedNewer') && this.#once('recreate')) this.#recreate('recreatedNewer', 0);
    else if (this.faults.may('clusterMoved') && this.#once('recreate')) this.#recreate('clusterMoved', 50_000);
    else if (this.faults.may('recreatedOlder') && this.#once('recreate')) this.#recreate('recreatedOlder', 50_000);
    else this.#sweepSoon();
  }

  #sweepSoon(): void {
    if (this.#done.has('sweeping')) return;
    this.#done.add('sweeping');
    this.scheduler.in(GATE_MS + 60_000, () => this.#sweep());
  }

  #sweep(): void {
    if (this.#isRecreating) {
      this.#done.delete('sweeping');
      return;
    }
    void this.operator.releaseAll().then(() => this.#sweepAfterReleases());
  }

  #sweepAfterReleases(): void {
    this.relay.sweep(() => {
      this.#done.delete('sweeping');
      if (!this.mapping.isDone || !this.#areIdle) return;
      if (this.#isSwept()) this.#isRested = true;
      else this.restedMaybe();
    });
  }

  /** Now and then the schedule looks over the ledger while all is under way, too. */
  #sweepNowAndThen(): void {
    const chance = this.faults.stream('schedule');
    for (let count = 0; count < 2; count++)
      this.scheduler.in(chance.between(60_000, 2_000_000), () => {
        if (!this.#isRested && !this.#isRecreating) this.relay.sweep(() => undefined);
      });
  }

  /** A key is being released: soon a record arrives, now and then, and the record before it may be of the same key. */
  releasing(): void {
    const chance = this.faults.stream('arrivals');
    if (this.#arrivals === 0 || !chance.chance(0.6)) return;
    this.#arrivals--;
    this.scheduler.in(chance.between(1, 1_500), () => {
      if (this.isRested || this.#isRecreating) return;
      this.topic.fill(chance.between(1, 3));
      this.mapping.look();
    });
  }

  #parkedKeys(place: string): number {
    const log = this.topic.logs.get(place);
    return log === undefined ? 0 : this.table.ledger.peekParked(this.table.partition(log.partition)).length;
  }

  get isRested(): boolean {
    return this.#isRested || this.#isOver;
  }

  get #areIdle(): boolean {
    return this.relay.isIdle && this.operator.isIdle;
  }

  /** Nothing is halted, and nothing is waited for that the mapping will not deliver again. */
  #isSwept(): boolean {
    return [...this.topic.logs.values()].every(({ place, partition }) => {
      const item = this.table.ledger.peek(this.table.partition(partition));
      if (item === undefined) return true;
      if (item.parked !== undefined || (item.progress.goneMarks ?? []).length > 0) return false;
      const { replayRefused, pending, settled, floor = 0, runBelow = 0 } = item.progress;
      const toRedeliver = [...pending, ...item.claims.flatMap(({ offsets }) => offsets)];
      const committed = this.mapping.committed.get(place) ?? 0;
      // What is before memory nobody waits for, unless an operator lets it run again.
      const isSettled = (offset: number) =>
        (offset < floor && offset >= runBelow) || settled.some(({ from, to }) => from <= offset && offset <= to);
      return (
        replayRefused.length === 0 &&
        !toRedeliver.some(({ from, to }) => from < committed && !(isSettled(from) && isSettled(to)))
      );
    });
  }

  #once(what: string, chance = 1): boolean {
    if (this.#done.has(what)) return false;
    if (chance < 1 && !this.faults.stream(what).chance(chance)) return false;
    this.#done.add(what);
    return true;
  }

  #rewind(): void {
    const chance = this.faults.stream('rewind');
    this.topic.fill(3);
    for (const log of this.topic.logs.values()) {
      this.faults.saw('groupRewound');
      this.emit({ type: 'rewound', place: log.place });
      const position = chance.chance(0.7) ? log.start : (log.records.at(-4)?.offset ?? log.start);
      this.scheduler.in(60_000, () => this.mapping.restart(new Map([[log.place, position]])));
    }
  }

  #recreate(kind: 'recreatedNewer' | 'recreatedOlder' | 'clusterMoved', ageMs: number): void {
    const chance = this.faults.stream('recreate');
    this.faults.saw(kind);
    const perPartition = chance.between(3, 16);
    const write = () => this.topic.recreate(perPartition, kind === 'recreatedNewer' ? -600_000 : ageMs);
    this.scheduler.in(0, () => void this.recreate(kind, write));
  }

  /** @param write - fills the topic in its new life */
  async recreate(kind: string, write: () => void): Promise<void> {
    this.#isRecreating = true;
    write();
    if (kind === 'clusterMoved') this.table.cluster = CLUSTERS[1];
    this.emit({ type: 'recreated', generation: this.topic.generation, cluster: this.table.cluster });
    // Pollers find the topic gone; what they had fetched of it is forgotten.
    this.mapping.restart(this.#positions(({ end }) => end));
    for (const log of this.topic.logs.values()) {
      if (kind === 'recreatedOlder') await this.operator.reset(log.place);
    }
    this.scheduler.in(600_000, () => {
      this.#isRecreating = false;
      this.mapping.restart(this.#positions(({ start }) => start));
    });
  }

  #positions(of: (log: PartitionLog) => number): Map<string, number> {
    return new Map([...this.topic.logs.values()].map((log) => [log.place, of(log)]));
  }

  #watch({ place, before, after }: Extract<HistoryEvent, { type: 'changed' }>): void {
    if (after.progress.replayRefused.length > 0) void this.operator.answerAlarm(place);
    const isTakenOver = before?.owner !== undefined && after.epoch > before.epoch;
    if (isTakenOver && this.fleet.isAlive(before.owner)) this.faults.saw('leaseLost');
  }

  #isTooLong(): boolean {
    return this.scheduler.elapsed > LONGEST_MS || this.fleet.invocations > 3_000;
  }
}

function consumerOf(settings: Settings): Consumer<unknown> {
  const { keyed, order, checkpointMs, maxAttempts, maxConsecutiveDeadLetters, failureMode } = settings;
  const { onReplay, plainDecoder } = settings;
  const consumer = resolveOptions<unknown>(
    {
      value: plainDecoder ? PLAIN_DECODER : json(),
      idempotencyKey: keyed ? ({ value }) => idOf(value) : byPosition,
      order,
      tuning: { checkpointMs },
      retry: { maxAttempts },
      maxConsecutiveDeadLetters,
      ...(order === 'key' && { maxConcurrency: 4 }),
      onReplay,
      onRecord: () => undefined,
    },
    { consumerGroup: 'simulated', failureMode },
  );
  if (!settings.parks) return consumer;
  const { policy } = consumer;
  const park = settings.parksFew ? { maxPerKey: 3, maxKeys: 2 } : DEFAULT_PARK_LIMITS;
  return { ...consumer, policy: { ...policy, retry: { ...policy.retry, park } } };
}

/** As any codec is: it returns the value, and throws where it cannot. */
const PLAIN_DECODER = { decode: (record: DeliveredRecord) => JSON.parse(String(record.valueBytes)) as unknown };

function idOf(value: unknown): string {
  return typeof value === 'object' && value !== null && 'id' in value ? String(value.id) : '';
}
