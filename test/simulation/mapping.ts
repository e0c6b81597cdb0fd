import {
  afterOutcome,
  type Batch,
  committable,
  DEFAULT_RULES,
  emptyPoller,
  emptyQueue,
  fetched,
  type InvocationOutcome,
  type MappingRules,
  nextBatch,
  type PollerState,
  withQueue,
} from '../../infra/local/event-source/decide.ts';
import { type Envelope, envelopeOf, eventJson } from '../../infra/local/event-source/event-json.ts';
import type { LogRecord, PartitionLog, PolledRecord } from './kafka-log.ts';
import type { World } from './world.ts';

/** What surrounds the records of an event that came from `cluster`. */
function envelope(cluster: string): Envelope {
  return envelopeOf(
    `arn:aws:kafka:eu-central-1:111122223333:cluster/shop/${cluster}`,
    'b-1.shop.kafka.eu-central-1.amazonaws.com:9098',
  );
}

interface Poller {
  state: PollerState<PolledRecord>;
  readonly places: Set<string>;
  wakeUp: (() => void) | undefined;
}

/** Lambda's event source mapping: pollers around the event source's own decisions, with what the decisions leave open drawn. */
export class Mapping {
  readonly #world: World;
  readonly #logs: ReadonlyMap<string, PartitionLog>;
  readonly #pollers: Poller[];
  /** What the group has committed, by partition. */
  readonly committed = new Map<string, number>();
  /** Where batches began, by partition: old committed offsets are taken from here. */
  readonly #starts = new Map<string, number[]>();
  readonly #rules: MappingRules;
  #rebalances = 0;
  #enabled = true;
  #formChanged = false;

  constructor(world: World, logs: ReadonlyMap<string, PartitionLog>) {
    const { settings } = world;
    this.#world = world;
    this.#logs = logs;
    this.#rules = {
      ...DEFAULT_RULES,
      batchSize: settings.batchSize,
      batchingWindowMs: settings.windowMs,
      envelopeBytes: envelope(world.table.cluster).bytes,
      reading: settings.reading,
      reportsBatchItemFailures: settings.failureMode === 'report',
    };
    this.#pollers = Array.from({ length: settings.pollers }, () => ({
      state: emptyPoller<PolledRecord>(),
      places: new Set<string>(),
      wakeUp: undefined,
    }));
    for (const log of logs.values()) {
      this.committed.set(log.place, log.start);
      this.#assign(log.place, 0);
    }
  }

  start(): void {
    for (const poller of this.#pollers) this.#pump(poller);
  }

  /** Records have come. */
  look(): void {
    for (const poller of this.#pollers) this.#pump(poller);
  }

  /** Nothing is left to send, and nothing is under way. */
  get isDone(): boolean {
    return this.#pollers.every(({ state, places }) =>
      [...places].every((place) => {
        const queue = state.queues.get(place);
        return (
          queue !== undefined &&
          queue.waiting.length === 0 &&
          queue.retries.length === 0 &&
          queue.inFlight === undefined &&
          (queue.position ?? 0) >= (this.#logs.get(place)?.end ?? 0)
        );
      }),
    );
  }

  /** Offsets of a partition that this mapping will send again or for the first time. */
  toRedeliver(place: string): Set<number> {
    const toRedeliver = new Set<number>();
    for (const { state, places } of this.#pollers) {
      const queue = state.queues.get(place);
      if (!places.has(place) || queue === undefined) continue;
      const runs = [...queue.retries, ...(queue.inFlight?.runs ?? []), { records: queue.waiting }];
      for (const { records } of runs) for (const { offset } of records) toRedeliver.add(offset);
      for (const { offset } of this.#logs.get(place)?.records ?? [])
        if (offset >= (queue.position ?? 0)) toRedeliver.add(offset);
    }
    return toRedeliver;
  }

  /** The group's offsets are set by hand, or the topic is another: what was fetched is forgotten. */
  restart(positions: ReadonlyMap<string, number>): void {
    for (const [place, position] of positions) {
      this.committed.set(place, position);
      for (const poller of this.#pollers)
        if (poller.places.has(place)) poller.state = withQueue(poller.state, emptyQueue<PolledRecord>(place, position));
    }
    for (const poller of this.#pollers) this.#pump(poller);
  }

  /** A record is gone from the log; what was fetched of it is gone too. */
  forget(record: LogRecord): void {
    for (const poller of this.#pollers) {
      const queue = poller.state.queues.get(record.place);
      if (queue === undefined) continue;
      const keep = (records: readonly PolledRecord[]) => records.filter(({ truth }) => truth !== record);
      const retries = queue.retries
        .map((run) => ({ ...run, records: keep(run.records) }))
        .filter(({ records }) => records.length > 0);
      const waiting = keep(queue.waiting);
      const waitingBytes = waiting.reduce((bytes, { bytes: more }) => bytes + more, 0);
      poller.state = withQueue(poller.state, { ...queue, retries, waiting, waitingBytes });
    }
  }

  #assign(place: string, poller: number): void {
    const to = this.#pollers[poller];
    const position = this.committed.get(place) ?? 0;
    for (const other of this.#pollers) {
      if (!other.places.delete(place)) continue;
      const queues = new Map(other.state.queues);
      queues.delete(place);
      other.state = { ...other.state, queues };
    }
    if (to === undefined) return;
    to.places.add(place);
    to.state = withQueue(to.state, emptyQueue<PolledRecord>(place, position));
    this.#starts.set(place, [...(this.#starts.get(place) ?? []), position]);
  }

  #pump(poller: Poller): void {
    const { scheduler } = this.#world;
    poller.wakeUp?.();
    poller.wakeUp = undefined;
    if (!this.#enabled) return;
    this.#fetch(poller);
    for (;;) {
      const next = nextBatch(poller.state, scheduler.now, this.#rules);
      poller.state = next.state;
      if (next.type === 'wait') {
        if (Number.isFinite(next.untilMs))
          poller.wakeUp = scheduler.in(Math.max(1, next.untilMs - scheduler.now), () => this.#pump(poller));
        return;
      }
      this.#send(poller, next.batch);
    }
  }

  #fetch(poller: Poller): void {
    const chance = this.#world.faults.stream('fetches');
    for (const place of poller.places) {
      const queue = poller.state.queues.get(place);
      const log = this.#logs.get(place);
      if (queue === undefined || log === undefined || queue.waiting.length > this.#rules.batchSize) continue;
      const most = chance.between(1, this.#rules.batchSize + 1);
      const { records, next } = log.fetch(queue.position ?? 0, most);
      poller.state = withQueue(poller.state, fetched(queue, records, next, this.#world.scheduler.now));
    }
  }

  #send(poller: Poller, batch: Batch<PolledRecord>): void {
    const world = this.#world;
    const { faults, fleet, scheduler } = world;
    for (const { partition, records } of batch.parts) this.#starts.get(partition)?.push(records[0]?.offset ?? 0);
    this.#commit();
    if (faults.happens('mappingDisabled', 0.05)) this.disable();
    if (!this.#formChanged && faults.happens('formChanged', 0.08)) this.#changeForm();
    if (faults.happens('notInvoked', 0.02)) {
      scheduler.in(200, () => this.#after(poller, batch, { type: 'notInvoked' }));
      return;
    }
    const payload = eventJson(envelope(world.table.cluster), batch.parts);
    const parts = new Map(batch.parts.map(({ partition, records }) => [partition, records.map(({ truth }) => truth)]));
    const twice = faults.happens('deliveredTwice', 0.03);
    let waitingFor = twice ? 2 : 1;
    const onOutcome = (outcome: InvocationOutcome) => {
      // Of two invocations with one event the later answer counts.
      if (--waitingFor === 0) this.#after(poller, batch, outcome);
    };
    fleet.invoke(payload, parts, onOutcome);
    if (twice) scheduler.in(faults.stream('twice').between(0, 50), () => fleet.invoke(payload, parts, onOutcome));
    if (this.#rebalances < world.settings.rebalances && faults.happens('rebalance', 0.12)) {
      this.#rebalances++;
      scheduler.in(faults.stream('rebalance').pick([5, 20, 300, 3_000, 40_000]), () => this.#rebalance());
    }
    world.sent([...parts.values()].flat());
  }

  #after(poller: Poller, batch: Batch<PolledRecord>, outcome: InvocationOutcome): void {
    const { faults, scheduler } = this.#world;
    const chance = faults.stream('retries');
    const failed = outcome.type !== 'answered' || outcome.batchItemFailures.length > 0;
    const slow = failed && this.#rules.reading === 'overtaken' && faults.happens('slowRetry', 0.2);
    const retryDelayMs = slow ? 700_000 : chance.pick([5, 5, 100, 2_000, 20_000]);
    poller.state = afterOutcome(poller.state, batch, outcome, scheduler.now, { ...this.#rules, retryDelayMs }).state;
    this.#commit();
    this.#world.afterBatch(failed);
    scheduler.in(chance.between(1, 20), () => this.#pump(poller));
  }

  #commit(): void {
    const { faults } = this.#world;
    const tooHigh = faults.may('offsetsTooHigh');
    for (const { state } of this.#pollers)
      for (const queue of state.queues.values()) {
        const offset = tooHigh ? queue.position : committable(queue);
        if (offset !== undefined) this.committed.set(queue.name, offset);
      }
  }

  #rebalance(): void {
    const { faults, emit } = this.#world;
    const chance = faults.stream('assignments');
    let moved = 0;
    for (const [place, log] of this.#logs) {
      if (moved > 0 && chance.chance(0.4)) continue;
      moved++;
      const toRedeliver = this.toRedeliver(place);
      const starts = this.#starts.get(place) ?? [];
      if (faults.happens('offsetsTooLow', 0.6)) {
        const back = chance.between(1, this.#world.settings.set === 'deep' ? 20 : 4);
        const old = starts[Math.max(0, starts.length - 1 - back)] ?? log.start;
        this.committed.set(place, Math.max(log.start, Math.min(old, this.committed.get(place) ?? old)));
      }
      const position = this.committed.get(place) ?? 0;
      if ([...toRedeliver].some((offset) => offset < position)) faults.saw('offsetsTooHigh');
      this.#assign(place, chance.between(0, this.#pollers.length - 1));
      emit({ type: 'mapping', text: `rebalance: ${place} resumes at ${position}` });
    }
    for (const poller of this.#pollers) this.#world.scheduler.in(chance.between(1, 3_000), () => this.#pump(poller));
    this.#world.scheduler.in(3_001, () => this.#world.restedMaybe());
  }

  /** A schema registry is switched on: pollers start again at what is committed, and the same records come in another form. */
  #changeForm(): void {
    this.#formChanged = true;
    this.#world.scheduler.in(this.#world.faults.stream('form').between(1, 20_000), () => {
      for (const log of this.#logs.values()) log.changeForm();
      this.#world.emit({ type: 'mapping', text: 'a schema registry is switched on' });
      this.restart(new Map(this.committed));
    });
  }

  /** An operator disables the mapping for ten minutes and more. */
  disable(): void {
    const { emit, scheduler } = this.#world;
    this.#enabled = false;
    emit({ type: 'mapping', text: 'disabled for 700 seconds' });
    scheduler.in(700_000, () => {
      this.#enabled = true;
      emit({ type: 'mapping', text: 'enabled' });
      for (const poller of this.#pollers) this.#pump(poller);
    });
  }
}
