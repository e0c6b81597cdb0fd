import { decideChange, type OperatorChange } from '../../shared/decide/operator.ts';
import type { PartitionItem, Progress } from '../../shared/decide/progress.ts';
import { decideOperationsClaim } from '../../shared/decide/relay.ts';
import type { Writer } from './history.ts';
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
