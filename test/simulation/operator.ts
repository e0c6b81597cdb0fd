import { decideChange, type OperatorChange } from '../../shared/decide/operator.ts';
import { settledOrdinal } from '../../shared/decide/parking.ts';
import type { PartitionItem, Progress } from '../../shared/decide/progress.ts';
import { decideOperationsClaim } from '../../shared/decide/relay.ts';
import type { WriteRequest } from '../../shared/ports/ledger-store.ts';
import type { ParkedClaimRequest } from '../../shared/ports/parked-keys.ts';
import { type LedgerPartition, partitionName } from '../../shared/record/item-identifier.ts';
import { askRelease, parkedLetters } from '../../shared/release/ask-release.ts';
import { dropParked } from '../../shared/release/drop-parked.ts';
import type { ReleaseEvent } from '../../shared/release/release-event.ts';
import { fakeStackSecret } from '../../shared/testing/fake-stack-secret.ts';
import type { Writer } from './history.ts';
import { GROUP } from './ledger-world.ts';
import { LETTER_TOPIC } from './letter-topic.ts';
import type { World } from './world.ts';

const POLICY = { onReplay: 'halt', missingRecordTimeoutMs: Number.POSITIVE_INFINITY } as const;
const LEASE_MS = 15_000;
const BY: Writer = { type: 'operator' };

/** Looks at a halted partition, and decides about it as the command does. */
export class Operator {
  readonly #world: World;
  readonly #busyWith = new Set<string>();

  constructor(world: World) {
    this.#world = world;
  }

  get isIdle(): boolean {
    return this.#busyWith.size === 0;
  }

  /** Decides a minute after the alarm. */
  async answerAlarm(place: string): Promise<void> {
    if (this.#busyWith.has(place)) return;
    this.#busyWith.add(place);
    await this.#pause(60_000);
    await this.#change(place, () => this.#commandFor(place));
    this.#busyWith.delete(place);
    this.#world.scheduler.in(1, () => this.#world.restedMaybe());
  }

  /** Of a recreated topic whose records look older, as the docs say. */
  async reset(place: string): Promise<void> {
    this.#busyWith.add(place);
    await this.#change(place, () => ({ type: 'reset' }));
    this.#busyWith.delete(place);
  }

  /** By hand, now and then: keys are released, and now and then given up on. */
  looksAtParkedKeys(): void {
    const { faults, scheduler } = this.#world;
    const chance = faults.stream('parked keys');
    const look = async (): Promise<void> => {
      const [first, ...rest] = this.#parkedPlaces();
      if (first !== undefined) {
        const place = chance.pick([first, ...rest]);
        if (chance.chance(0.15)) await this.#drop(place, chance.between(1, 60_000));
        else await this.#release(place, chance.chance(0.3) ? chance.between(1, 90_000) : 0);
      }
    };
    for (let count = 0; count < 12; count++) scheduler.in(chance.between(1_000, 1_200_000), () => void look());
    // Where no more may be parked, records stand still until somebody looks after them.
    const looksAfter = () =>
      void scheduler.in(120_000, async () => {
        if (this.#world.isRested) return;
        await this.releaseAll();
        looksAfter();
      });
    scheduler.in(1_200_000, looksAfter);
  }

  /** Once all else is done: every parked key is released, and what never works is given up on. */
  async releaseAll(): Promise<void> {
    for (const place of this.#parkedPlaces()) {
      await this.#release(place, 0);
      const item = await this.#world.table.ledger.parkedKeys.read(place);
      const next = item === undefined ? 0 : settledOrdinal(item.progress) + 1;
      if ((item?.progress.blockedRecords.get(next)?.rounds ?? 0) >= 3) await this.#drop(place, 20_000, next);
      if (item !== undefined && this.#isOfAnEarlierTopic(place, item.sequence, next))
        await this.reset(partitionName(place));
    }
  }

  /** Whether the record that must come next was marked, and its offset is not in the topic. Then nobody sends its letter. */
  #isOfAnEarlierTopic(place: LedgerPartition, sequence: string, ordinal: number): boolean {
    const { parkedKey: _, ...partition } = place;
    const end = this.#world.topic.logs.get(partitionName(place))?.end ?? 0;
    const blockedRecords = this.#world.table.ledger.peek(partition)?.progress.blockedRecords ?? new Map();
    return [...blockedRecords.values()].some(
      ({ parked, offset }) => parked?.sequence === sequence && parked.ordinal === ordinal && offset >= end,
    );
  }

  #parkedPlaces(): LedgerPartition[] {
    const { table, topic } = this.#world;
    return [...topic.logs.values()].flatMap(({ partition }) => {
      const place = table.partition(partition);
      return table.ledger.peekParkedNames(place).map((parkedKey) => ({ ...place, parkedKey }));
    });
  }

  /** @param lateMs - between what was read and the event that carries it */
  async #release(place: LedgerPartition, lateMs: number): Promise<void> {
    const { table, letters, fleet, scheduler } = this.#world;
    const { parkedKeys } = table.ledger;
    const item = await parkedKeys.read(place);
    if (item === undefined) return;
    const secret = await fakeStackSecret();
    const source = { log: letters.log, deadLetterTopic: LETTER_TOPIC, group: GROUP, secret, giveUpAt: 0 };
    const found = await parkedLetters(source, new Set([item.sequence]));
    const invoke = async (event: ReleaseEvent) => {
      await this.#pause(lateMs);
      return fleet.release(event);
    };
    const ports = { parkedKeys, source, clock: { now: () => scheduler.now }, invoke };
    await askRelease(place, item.sequence, found, ports, scheduler.now + 200_000).catch(() => undefined);
  }

  /** What is shown now is given up on a while later. */
  async #drop(place: LedgerPartition, lateMs: number, upTo?: number): Promise<void> {
    const { table, scheduler, truth } = this.#world;
    const { ledger } = table;
    const item = await ledger.parkedKeys.read(place);
    if (item === undefined) return;
    const shown = upTo ?? item.tail;
    this.#world.emit({ type: 'drops', sequence: item.sequence, upTo: shown });
    await this.#pause(lateMs);
    const as = <T>(request: () => T): T => table.as(BY, truth.generation, request);
    const ports = {
      ledger: { ...ledger, write: (request: WriteRequest) => as(() => ledger.write(request)) },
      parkedKeys: {
        ...ledger.parkedKeys,
        claim: (request: ParkedClaimRequest) => as(() => ledger.parkedKeys.claim(request)),
      },
      clock: { now: () => scheduler.now, sleep: (ms: number) => this.#pause(ms) },
      entropy: { random: () => 0.5, id: () => `drop-${this.#world.nextOwner()}` },
    };
    const soon = scheduler.now + 60_000;
    const plan = { startedAt: scheduler.now, abortAt: soon, stallAt: soon, answerBy: soon, deadline: soon };
    await dropParked({ partition: place, sequence: item.sequence }, shown, ports, { plan });
  }

  async #change(place: string, choose: () => OperatorChange): Promise<void> {
    const { table, scheduler, truth } = this.#world;
    const partition = table.partition(this.#partition(place));
    const owner = `operator-${this.#world.nextOwner()}`;
    const item = await this.#claim(place, owner);
    const { progress } = decideOperationsClaim(item, owner, scheduler.now, POLICY);
    const change = choose();
    const decided = decideChange(progress, change, scheduler.now);
    if (decided.type === 'change') this.#tell(place, change, decided.progress);
    await this.#pause(10);
    const request = {
      partition,
      owner,
      epoch: item.epoch,
      rev: item.rev,
      progress: decided.type === 'change' ? decided.progress : progress,
      leaseUntil: scheduler.now,
      claimed: [],
      release: true,
    };
    await table.as(BY, truth.generation, () => table.ledger.write(request));
  }

  async #claim(place: string, owner: string): Promise<PartitionItem> {
    const { table, scheduler, truth } = this.#world;
    const partition = table.partition(this.#partition(place));
    for (;;) {
      const request = { partition, owner, offsets: [], now: scheduler.now, leaseUntil: scheduler.now + LEASE_MS };
      const answer = await table.as(BY, truth.generation, () => table.ledger.claim(request));
      if (answer.type === 'granted') return answer.item;
      await this.#pause(3_000);
    }
  }

  #tell(place: string, { type }: OperatorChange, { skipBelow, runBelow, settled }: Progress): void {
    const { emit } = this.#world;
    if (type === 'reset') emit({ type: 'decided', place, command: 'reset', below: Number.POSITIVE_INFINITY, settled });
    if (type === 'acceptAsDuplicates')
      emit({ type: 'decided', place, command: 'skip', below: skipBelow ?? 0, settled });
    if (type === 'acceptToRun') emit({ type: 'decided', place, command: 'run', below: runBelow ?? 0, settled });
  }

  /** The operator knows more than the ledger: whether the topic is another, and whether the records were handled. */
  #commandFor(place: string): OperatorChange {
    const { truth, table, faults } = this.#world;
    const replayRefused = table.progressOf(this.#partition(place))?.replayRefused ?? [];
    const refused = truth
      .partition(place)
      .filter(({ generation }) => generation === truth.generation)
      .filter(({ offset }) => replayRefused.some(({ from, to }) => from <= offset && offset <= to));
    if (truth.generation > 0) return { type: 'reset' };
    if (!refused.every((record) => truth.isDone(record))) return { type: 'acceptToRun' };
    const types = ['acceptAsDuplicates', 'acceptAsDuplicates', 'acceptToRun', 'reset'] as const;
    return { type: faults.stream('operator').pick(types) };
  }

  #partition(place: string): number {
    return this.#world.topic.logs.get(place)?.partition ?? 0;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#world.scheduler.in(ms, resolve));
  }
}
