import { decideClaim } from '../../shared/decide/claim.ts';
import { FRESH_PROGRESS, type PartitionItem, type Progress } from '../../shared/decide/progress.ts';
import { forget, headOf, settle, withHead } from '../../shared/decide/settle.ts';
import { DeliveredRecord } from '../../shared/record/delivered-record.ts';
import { eachOffset, includesOffset, rangesOf, subtract, union } from '../../shared/record/offset-ranges.ts';
import type { Writer } from './history.ts';
import type { PartitionLog, PolledRecord } from './kafka-log.ts';
import { GROUP } from './ledger-world.ts';
import type { World } from './world.ts';

const POLICY = { onReplay: 'halt', headGateMs: 300_000 } as const;
const LEASE_MS = 15_000;
const RELAY: Writer = { type: 'relay' };
const OPERATOR: Writer = { type: 'operator' };

/** A claim of a caretaker, with what dead invocations left folded in; nothing of its own is pending. */
interface Hold {
  item: PartitionItem;
  readonly owner: string;
  progress: Progress;
}

/** Those who work on the ledger besides the function: the relay (DESIGN section 12), its schedule, and the operator. */
export class Caretakers {
  readonly #world: World;
  readonly #logs: ReadonlyMap<string, PartitionLog>;
  /** Ranges that wait for the relay. */
  #waiting = 0;
  readonly #deciding = new Set<string>();

  constructor(world: World, logs: ReadonlyMap<string, PartitionLog>) {
    this.#world = world;
    this.#logs = logs;
  }

  get isIdle(): boolean {
    return this.#waiting === 0 && this.#deciding.size === 0;
  }

  /** The queue has accepted a range. */
  relay(place: string, offsets: readonly number[]): void {
    const { scheduler, faults } = this.#world;
    this.#waiting++;
    scheduler.in(faults.stream('relay').pick([100, 5_000, 30_000]), () => void this.#readBack(place, offsets));
  }

  /** An operator looks at a partition that stands still, and decides a minute later. */
  async decide(place: string): Promise<void> {
    const { scheduler } = this.#world;
    if (this.#deciding.has(place)) return;
    this.#deciding.add(place);
    await this.#pause(60_000);
    const hold = await this.#claim(place, OPERATOR);
    const { standing, floor = 0 } = hold.progress;
    if (standing.length > 0) {
      const below = Math.max(floor, (standing.at(-1)?.to ?? 0) + 1);
      const command = this.#commandFor(place);
      const { standing: _, ...rest } = hold.progress;
      const cleared: Progress = { ...rest, standing: [] };
      const pending = subtract(union(cleared.pending, standing), cleared.settled);
      const { settled } = command === 'reset' ? FRESH_PROGRESS : cleared;
      this.#world.emit({ type: 'decided', place, command, below, settled });
      if (command === 'reset') hold.progress = FRESH_PROGRESS;
      if (command === 'skip') hold.progress = { ...cleared, skipBelow: below };
      if (command === 'run') hold.progress = { ...cleared, runBelow: below, pending };
    }
    await this.#write(place, hold, OPERATOR, true);
    this.#deciding.delete(place);
    scheduler.in(1, () => this.#world.restedMaybe());
  }

  /** The operator of a recreated topic whose records look older resets its ledger, as the docs say. */
  async reset(place: string): Promise<void> {
    this.#deciding.add(place);
    const hold = await this.#claim(place, OPERATOR);
    hold.progress = FRESH_PROGRESS;
    this.#world.emit({ type: 'decided', place, command: 'reset', below: Number.POSITIVE_INFINITY, settled: [] });
    await this.#write(place, hold, OPERATOR, true);
    this.#deciding.delete(place);
  }

  /** The relay's schedule: what is pending below the committed offset and unclaimed for long, nobody will send again. */
  async sweep(place: string): Promise<void> {
    const { table, scheduler, mapping } = this.#world;
    const log = this.#log(place);
    const item = table.ledger.peek(table.partition(log.partition));
    if (item === undefined || scheduler.now - item.leaseUntil < POLICY.headGateMs) return;
    const committed = mapping.committed.get(place) ?? 0;
    if (pendingBelow(item, committed, scheduler.now).length === 0) return;
    this.#deciding.add(place);
    const hold = await this.#claim(place, RELAY);
    const offsets = pendingBelow(hold.item, committed, scheduler.now);
    if (offsets.length > 0) {
      this.#world.abandon(place, offsets, 'sweep');
      hold.progress = { ...hold.progress, pending: subtract(hold.progress.pending, rangesOf(offsets)) };
    }
    await this.#write(place, hold, RELAY, true);
    this.#deciding.delete(place);
  }

  /** Reads a range back from the log and gives each record that nobody settled its letter. */
  async #readBack(place: string, offsets: readonly number[]): Promise<void> {
    const hold = await this.#claim(place, RELAY);
    for (const record of [...this.#log(place).records]) {
      if (!offsets.includes(record.offset) || includesOffset(hold.progress.settled, record.offset)) continue;
      if (!(await this.#letter(place, hold, record))) return void this.#again(place, offsets);
    }
    if (!(await this.#write(place, hold, RELAY, true))) return void this.#again(place, offsets);
    this.#waiting--;
    this.#world.restedMaybe();
  }

  async #again(place: string, offsets: readonly number[]): Promise<void> {
    await this.#pause(5_000);
    await this.#readBack(place, offsets);
  }

  async #letter(place: string, hold: Hold, { truth: record, json }: PolledRecord): Promise<boolean> {
    const { offset, timestamp, valueHash } = new DeliveredRecord(JSON.parse(json));
    const identity = { offset, timestamp, valueHash };
    hold.progress = withHead(hold.progress, { ...headOf(hold.progress, identity), exhausted: true });
    if (!(await this.#write(place, hold, RELAY, false))) return false;
    if (this.#world.faults.happens('diesBefore', 0.2)) return false;
    await this.#pause(20);
    const id = `${this.#world.table.cluster}/${GROUP}/${place}@${offset}/${timestamp}`;
    this.#world.emit({ type: 'letter', by: RELAY, record, id, where: 'topic' });
    if (this.#world.faults.happens('diesAfter', 0.2)) return false;
    hold.progress = settle(hold.progress, {
      record: identity,
      from: record.offset,
      mark: false,
      outcome: 'deadLettered',
    });
    return true;
  }

  async #claim(place: string, by: Writer): Promise<Hold> {
    const { table, scheduler } = this.#world;
    const owner = `${by.type}-${this.#world.nextOwner()}`;
    const partition = table.partition(this.#log(place).partition);
    for (;;) {
      const request = { partition, owner, offsets: [], now: scheduler.now, leaseUntil: scheduler.now + LEASE_MS };
      const answer = await table.as(by, this.#world.truth.generation, () => table.ledger.claim(request));
      if (answer.type === 'granted') {
        const { progress } = decideClaim(answer.item, owner, [], scheduler.now, POLICY);
        return { item: answer.item, owner, progress };
      }
      await this.#pause(3_000);
    }
  }

  async #write(place: string, hold: Hold, by: Writer, release: boolean): Promise<boolean> {
    const { table, scheduler, truth } = this.#world;
    await this.#pause(10);
    const { epoch, rev } = hold.item;
    const partition = table.partition(this.#log(place).partition);
    const start = this.#log(place).start;
    const progress = forget(hold.progress, start, []);
    const leaseUntil = scheduler.now + LEASE_MS;
    const request = { partition, owner: hold.owner, epoch, rev, progress, leaseUntil, claimed: [], release };
    const answer = await table.as(by, truth.generation, () => table.ledger.write(request));
    if (answer.type !== 'written') return false;
    hold.item = { ...hold.item, rev: rev + 1 };
    hold.progress = progress;
    return true;
  }

  #commandFor(place: string): 'skip' | 'run' | 'reset' {
    const { truth, table, faults } = this.#world;
    const standing = table.progressOf(this.#log(place).partition)?.standing ?? [];
    const refused = truth
      .partition(place)
      .filter((r) => r.generation === truth.generation && includesOffset(standing, r.offset));
    if (truth.generation > 0) return 'reset';
    const done = refused.every((record) => truth.isDone(record));
    if (!done) return 'run';
    return faults.stream('operator').pick(['skip', 'skip', 'run', 'reset'] as const);
  }

  #log(place: string): PartitionLog {
    const log = this.#logs.get(place);
    if (log === undefined) throw new Error(`no partition ${place}`);
    return log;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#world.scheduler.in(ms, resolve));
  }
}

function pendingBelow(item: PartitionItem, committed: number, now: number): number[] {
  const { pending, settled } = decideClaim(item, '', [], now, POLICY).progress;
  return [...eachOffset(subtract(pending, settled))].filter((offset) => offset < committed);
}
