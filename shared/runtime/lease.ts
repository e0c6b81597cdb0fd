import type { PartitionItem, Progress } from '../decide/progress.ts';
import { pendingAfter, type Settling } from '../decide/settle.ts';
import { writeFate } from '../decide/write-fate.ts';
import type { EffectRefusal, KeyCompletion, WriteAnswer, WriteRequest } from '../ports/ledger-store.ts';
import { keyTakenOver, StoreError } from '../ports/store-error.ts';
import { type LedgerPartition, partitionName } from '../record/item-identifier.ts';
import { includesOffset, type OffsetRanges } from '../record/offset-ranges.ts';
import type { EpochMs, Offset } from '../record/units.ts';
import type { ConsumerPolicy, Ports } from './consumer.ts';
import { HeldProgress } from './held-progress.ts';
import type { Invocation } from './invocation.ts';
import { LateSignal } from './late-signal.ts';
import { type Patience, repeat, repeatEach } from './repeat.ts';
import {
  joined,
  NO_TRANSACTION,
  sharing,
  type Transaction,
  type TransactionSize,
  transactionSize,
} from './transaction.ts';

/** No record starts in the last three seconds of the lease by the local clock, because the clocks of hosts differ. */
export const LEASE_MARGIN_MS = 3_000;

/** How a write ended. `lost`: another invocation holds the partition. `cancelled`: the condition of an effect did not hold. */
export type Written =
  | { readonly type: 'written' }
  | { readonly type: 'lost' }
  | { readonly type: 'cancelled'; readonly reasons: readonly EffectRefusal[] };

/** What a lease starts with: a granted claim and the decision about it. */
export interface LeaseStart {
  readonly partition: LedgerPartition;
  readonly owner: string;
  readonly item: PartitionItem;
  readonly progress: Progress;
  readonly toRedeliver: OffsetRanges;
  readonly batchStart: Offset;
  /** Of a parked key. */
  readonly sequence?: string;
  readonly leaseUntil: EpochMs;
  /** Nothing is written after the invocation has answered, not even when a frozen process goes on. */
  readonly invocation: Pick<Invocation, 'plan' | 'onEnd'>;
}

/** The ports that a lease needs. */
export type LeasePorts = Pick<Ports, 'ledger' | 'clock' | 'entropy' | 'telemetry'> & {
  readonly keys: Pick<Ports['keys'], 'complete'>;
};

/** The settings that a lease needs. */
export type LeasePolicy = Pick<ConsumerPolicy, 'leaseMs' | 'checkpointMs'>;

interface WriteOrder {
  readonly release: boolean;
  readonly frees?: WriteRequest['frees'];
  readonly transaction?: Transaction;
}

interface WaitingTransaction {
  readonly transaction: Transaction;
  readonly size: TransactionSize;
  readonly written: PromiseWithResolvers<Written>;
}

/**
 * One invocation's hold on one partition. Progress is kept in memory and written while handlers run, one write at a time, each
 * conditional on epoch, owner and revision. The lease renews itself. It ends when another invocation takes the partition or the
 * ledger cannot be reached. After that nothing is written.
 */
export class Lease {
  /** Fires when another invocation takes the partition or the ledger cannot be reached. Does not fire on release. */
  readonly lost = new LateSignal();
  readonly epoch: number;
  /**
   * How often the lease was renewed after its end. Meanwhile others may have claimed what depends on it, such as idempotency
   * keys.
   */
  lapses = 0;
  readonly #start: LeaseStart;
  readonly #ports: LeasePorts;
  readonly #policy: LeasePolicy;
  #rev: number;
  #leaseUntil: EpochMs;
  readonly #held: HeldProgress;
  #isOver = false;
  #lastWriteAt: EpochMs;
  #dirty = false;
  #queued = 0;
  #tail: Promise<unknown> = Promise.resolve();
  #completions: KeyCompletion[] = [];
  readonly #transactions: WaitingTransaction[] = [];
  #checkpointing = false;
  #failure: unknown;
  #hasParked: boolean;
  readonly #over = new AbortController();
  readonly #forgetEnd: () => void;

  constructor(start: LeaseStart, ports: LeasePorts, policy: LeasePolicy) {
    this.#start = start;
    this.#ports = ports;
    this.#policy = policy;
    this.#held = new HeldProgress(start);
    this.epoch = start.item.epoch;
    this.#rev = start.item.rev;
    this.#hasParked = start.item.parked !== undefined;
    this.#leaseUntil = start.leaseUntil;
    this.#lastWriteAt = ports.clock.now();
    this.#forgetEnd = start.invocation.onEnd(() => this.close());
    void this.#beat();
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get progress(): Progress {
    return this.#held.progress;
  }

  /** Whether the progress alone lets the record at `offset` run. Then {@link progress} need not be read. */
  isPlain(offset: Offset): boolean {
    return this.#held.isPlain(offset);
  }

  /** The lowest offset of our batch, or pending before it, that is not settled. */
  get lowestUnsettled(): Offset | undefined {
    return this.#held.lowestUnsettled;
  }

  /** Whether records run one at a time, so that a crash counts for the right record. */
  get isIsolating(): boolean {
    return this.#held.isIsolating;
  }

  /** The error with which the ledger could not be reached, if the lease ended because of that. */
  get failure(): unknown {
    return this.#failure;
  }

  update(change: (progress: Progress) => Progress): void {
    this.#held.update(change);
  }

  /** Counts a record as settled. The next checkpoint completes its key, then writes it. */
  settle(settling: Settling, completion?: KeyCompletion): void {
    this.#held.settle(settling);
    if (completion !== undefined) this.#completions.push(completion);
    this.#checkpointSoon();
  }

  /**
   * Settles records and commits their effects, or parks records, in one transaction. Transactions that come while a write is under way share the next
   * request, as far as they fit. If the condition of an effect fails, each of them is sent alone: only the records of the refused
   * one are not settled, and nothing of it is written.
   */
  commit(transaction: Transaction): Promise<Written> {
    const waiting = { transaction, size: transactionSize(transaction), written: Promise.withResolvers<Written>() };
    this.#transactions.push(waiting);
    void this.#inTurn(() => this.#commitNow());
    return waiting.written.promise;
  }

  /** Whether a record may start. Renews a lease that is about to end. */
  async mayStart(): Promise<boolean> {
    if (this.isOver) return false;
    if (this.#leaseCovers()) return true;
    await this.write();
    return !this.isOver && this.#leaseCovers();
  }

  /** The synchronous form of {@link mayStart}. If it is `false`, ask {@link mayStart}. */
  mayStartAt(now: EpochMs): boolean {
    return !this.isOver && this.#leaseCovers(now);
  }

  /**
   * Writes the progress, as it is when the turn of this write comes.
   *
   * @param release - releases the partition; unsettled offsets become pending
   */
  write({ release = false }: { release?: boolean } = {}): Promise<Written> {
    return this.#inTurn(() => this.#writeNow({ release }));
  }

  /** Gives a parked key back, and frees it. `cancelled`: more than `tail` waits in it, so that it is still held. */
  free(tail: number): Promise<Written> {
    return this.#inTurn(() => this.#writeNow({ release: true, frees: { tail } }));
  }

  /** Ends the lease without another write. In the ledger it stays until its time is over. */
  close(failure?: unknown): void {
    if (this.isOver) return;
    this.#failure = failure;
    this.#end();
    this.lost.abort();
  }

  #end(): void {
    this.#isOver = true;
    this.#forgetEnd();
    // The reason is given: creating the default one, an error with a stack, takes longer than settling ten records.
    this.#over.abort('over');
  }

  #leaseCovers(now = this.#ports.clock.now()): boolean {
    // A lease past the deadline covers everything that this process can do: Lambda stops it before.
    return this.#leaseUntil > this.#start.invocation.plan.deadline || now <= this.#leaseUntil - LEASE_MARGIN_MS;
  }

  /** Two writes never run at a time: one that takes effect after its successor would undo it. */
  #inTurn(write: () => Promise<Written>): Promise<Written> {
    this.#queued++;
    const turn = this.#tail.then(write);
    this.#tail = turn;
    return turn.finally(() => {
      this.#queued--;
    });
  }

  /**
   * Commits the waiting transactions, as many as fit one request. None may be left: an earlier turn may have taken them all.
   */
  async #commitNow(): Promise<Written> {
    const share = this.#transactions.splice(0, sharing(this.#transactions.map(({ size }) => size)));
    const [first, ...others] = share;
    if (first === undefined) return { type: 'written' };
    const together = await this.#writeNow({
      release: false,
      transaction: joined(share.map(({ transaction }) => transaction)),
    });
    if (together.type !== 'cancelled' || others.length === 0) {
      for (const { written } of share) written.resolve(together);
      return together;
    }
    for (const { transaction, written } of share)
      written.resolve(await this.#writeNow({ release: false, transaction }));
    return { type: 'written' };
  }

  async #writeNow({ release, frees, transaction }: WriteOrder): Promise<Written> {
    if (this.isOver) return { type: 'lost' };
    const { partition, owner, batchStart, sequence, invocation } = this.#start;
    const { clock, ledger } = this.#ports;
    const { settlings, effects, completions: inTransaction, park = [], marks = [] } = transaction ?? NO_TRANSACTION;
    const hasParked = this.#hasParked || park.length > 0;
    const completions = this.#completions;
    this.#completions = [];
    this.#dirty = false;
    this.#held.forget(batchStart);
    const next = this.#held.after(settlings, marks);
    const request = {
      partition,
      owner,
      epoch: this.epoch,
      rev: this.#rev,
      progress: release ? { ...next.progress, pending: pendingAfter(next.progress, next.toRedeliver) } : next.progress,
      leaseUntil: Math.min(clock.now() + this.#policy.leaseMs, invocation.plan.deadline + 1_000),
      claimed: next.toRedeliver,
      release,
      ...(sequence !== undefined && { sequence }),
      ...(frees !== undefined && { frees }),
      ...(hasParked && { hasParked }),
      ...(park.length > 0 && { park }),
      ...(effects.length > 0 && { effects }),
      // If keys were completed before the transaction, a crash between the two would make the record a duplicate, and its
      // effects would be lost.
      ...(inTransaction.length > 0 && { completions: inTransaction }),
    };
    try {
      await this.#complete(completions);
      if (this.isOver) return { type: 'lost' };
      let mayStillLand = false;
      const last = await repeat(async () => {
        try {
          return await ledger.write(request);
        } catch (error) {
          mayStillLand ||= !(error instanceof StoreError && error.notApplied);
          throw error;
        }
      }, this.#patience);
      const isUnsure = last.type === 'cancelled' && mayStillLand;
      const answer = isUnsure ? await this.#overtake(last, request, transaction ?? NO_TRANSACTION) : last;
      if (this.isOver) return { type: 'lost' };
      const written = this.#written(answer, request);
      if (written.type !== 'written') return written;
      this.#hasParked = hasParked;
      if (settlings.length + marks.length > 0) this.#held.adopt(this.#held.after(settlings, marks));
      return written;
    } catch (error) {
      // The fate of the write is unknown, so nothing else may be written under this claim.
      this.#ports.telemetry.count('LedgerUnavailable');
      this.#ports.telemetry.log.error(
        'the ledger could not be written; this invocation settles no more records of the partition',
        {
          partition: partitionName(this.#start.partition),
          epoch: this.epoch,
          error,
        },
      );
      this.close(error);
      return { type: 'lost' };
    }
  }

  /**
   * A transaction was refused, and an earlier try of it without an answer may still take effect. A plain write takes the
   * revision that it would need.
   *
   * @returns what became of the transaction. `refused` where it has taken effect: the item then has its revision.
   */
  async #overtake(cancelled: WriteAnswer, request: WriteRequest, wanted: Transaction): Promise<WriteAnswer> {
    const { effects: _, completions: __, park: ___, frees, ...plain } = request;
    const { progress, toRedeliver } = this.#held.after([]);
    const answer = await repeat(
      () => this.#ports.ledger.write({ ...plain, progress, claimed: toRedeliver }),
      this.#patience,
    );
    if (answer.type === 'refused' && hasLanded(answer.item, wanted)) return answer;
    if (answer.type === 'refused' && answer.item === undefined && frees !== undefined) return answer;
    this.#written(answer, plain);
    return cancelled;
  }

  #written(answer: WriteAnswer, { leaseUntil, release, frees }: WriteRequest): Written {
    if (answer.type === 'cancelled') {
      this.#dirty = true;
      return answer;
    }
    // A key that is gone was freed by an earlier try.
    const isFreed = answer.type === 'refused' && answer.item === undefined && frees !== undefined;
    if (
      answer.type === 'refused' &&
      !isFreed &&
      writeFate(answer.item, { epoch: this.epoch, rev: this.#rev }) === 'fenced'
    ) {
      this.#ports.telemetry.count('FencedCommits');
      this.#ports.telemetry.log.warn('another invocation holds the partition', {
        partition: partitionName(this.#start.partition),
        epoch: this.epoch,
      });
      this.close();
      return { type: 'lost' };
    }
    this.#rev++;
    if (!this.#leaseCovers()) this.lapses++;
    this.#leaseUntil = leaseUntil;
    this.#lastWriteAt = this.#ports.clock.now();
    if (release) this.#end();
    return { type: 'written' };
  }

  /** A key is completed before its record counts as settled. Otherwise a crash between the two would let a duplicate run. */
  async #complete(completions: readonly KeyCompletion[]): Promise<void> {
    if (completions.length === 0) return;
    const answers = await repeatEach(completions, (open) => this.#ports.keys.complete(open), this.#patience);
    const takenOver = completions.find((_, index) => answers[index]?.type === 'takenOver');
    if (takenOver !== undefined) throw keyTakenOver(takenOver.item.position);
  }

  get #patience(): Patience {
    const { clock, entropy } = this.#ports;
    return { clock, entropy, giveUpAt: this.#start.invocation.plan.answerBy };
  }

  #checkpointSoon(): void {
    const { checkpointMs } = this.#policy;
    this.#dirty = true;
    if (this.#checkpointing || checkpointMs === 'record') return;
    this.#checkpointing = true;
    void this.#checkpointEvery(checkpointMs).finally(() => {
      this.#checkpointing = false;
    });
  }

  async #checkpointEvery(checkpointMs: number): Promise<void> {
    const { clock } = this.#ports;
    while (this.#dirty && !this.isOver) {
      await clock.sleep(Math.max(1, this.#lastWriteAt + checkpointMs - clock.now()), this.#over.signal);
      // A running write may have started before the last record settled. Only what it did not write is written here.
      if (this.#queued > 0) await this.#tail;
      else if (this.#dirty && !this.isOver && clock.now() >= this.#lastWriteAt + checkpointMs) await this.write();
    }
  }

  /** Renews the lease while no other write does. */
  async #beat(): Promise<void> {
    const { clock } = this.#ports;
    const every = this.#policy.leaseMs / 3;
    while (!this.isOver) {
      await clock.sleep(Math.max(1, this.#lastWriteAt + every - clock.now()), this.#over.signal);
      if (!this.isOver && this.#queued === 0 && clock.now() >= this.#lastWriteAt + every) await this.write();
    }
  }
}

/** Whether an item shows what the transaction was to write. */
function hasLanded(item: PartitionItem | undefined, { settlings, marks = [] }: Transaction): boolean {
  if (item === undefined) return false;
  const { settled, blockedRecords } = item.progress;
  return (
    settlings.some(({ record }) => includesOffset(settled, record.offset)) ||
    marks.some(({ offset, parked }) => blockedRecords.get(offset)?.parked?.sequence === parked?.sequence)
  );
}
