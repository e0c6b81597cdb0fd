import { hash } from 'node:crypto';
import { decideKey, isHolderAlive, type KeyHolder, type KeyItem, type KeyStanding } from '../decide/idempotency.ts';
import { LockstepError } from '../errors.ts';
import type { KeyClaimAnswer, UnknownFate } from '../ports/idempotency-key-store.ts';
import type { KeyCompletion } from '../ports/ledger-store.ts';
import type { DeliveredRecord } from '../record/delivered-record.ts';
import { parseLedgerKey } from '../record/item-identifier.ts';
import type { EpochMs, Offset } from '../record/units.ts';
import type { ConsumerPolicy, Ports } from './consumer.ts';
import { isFinalError } from './is-final-error.ts';
import { type Patience, repeat, repeatEach, sideBySide } from './repeat.ts';

/** Claims of one key: each that is refused shows who was faster, and a few settle who holds it. */
const MOST_ROUNDS = 4;
/** Looks at holders that are under way at a time. */
const LOOKS_AT_ONCE = 20;

/** What a record's key says when its turn comes. */
export type KeyVerdict =
  | { readonly type: 'run' }
  | { readonly type: 'duplicate' }
  | { readonly type: 'reused'; readonly by: string }
  /** A living invocation works on a record with the same key. */
  | { readonly type: 'held' };

const RUN: KeyVerdict = { type: 'run' };
const HELD: KeyVerdict = { type: 'held' };

/** A record and what `idempotencyKey` says of it. */
export interface KeyedValue {
  readonly record: DeliveredRecord;
  readonly idempotencyKey: string;
}

/** How a record ended, for those of its key that come after it. */
type End = 'settled' | 'givenBack' | 'open';

interface KeyedRecord {
  readonly record: DeliveredRecord;
  readonly key: string;
  /** The record of this batch that took the key before us. */
  leader: KeyedRecord | undefined;
  end: End | undefined;
  /** Those who wait for `end`. */
  ended: PromiseWithResolvers<End> | undefined;
  verdict: KeyVerdict | undefined;
  claimed: boolean;
  /** The item whose place the next claim takes. */
  replaces: KeyItem | undefined;
  /** The lease's lapses when it was judged. */
  lapses: number;
}

/** `key#<namespace>#<sha-256 of the idempotency key>`; of one with half a character, which UTF-8 has not, as JSON writes it. */
export function ledgerKeyOfIdempotencyKey(namespace: string, idempotencyKey: string): string {
  return `key#${namespace}#${hash('sha256', idempotencyKey.isWellFormed() ? idempotencyKey : JSON.stringify(idempotencyKey))}`;
}

/**
 * Reads what `idempotencyKey` returned. `0` and `false` are values, not absences.
 *
 * @throws LockstepError IDEMPOTENCY_KEY_EMPTY naming the record
 */
export function idempotencyKeyText(returned: unknown, position: string): string {
  if (typeof returned === 'string' && returned !== '') return returned;
  if (typeof returned === 'number' || typeof returned === 'boolean' || typeof returned === 'bigint')
    return String(returned);
  const got =
    returned === ''
      ? 'an empty string'
      : returned === null || returned === undefined
        ? String(returned)
        : `a value of type ${typeof returned}`;
  throw new LockstepError(
    'IDEMPOTENCY_KEY_EMPTY',
    `idempotencyKey of ${position} returned ${got}, expected a non-empty string`,
  );
}

/**
 * The idempotency keys of one claimed partition: looked up and claimed for the whole batch at once, judged again when a
 * record's turn comes, given back when it did not get there.
 */
export class IdempotencyKeys {
  readonly #byOffset = new Map<Offset, KeyedRecord>();
  /** The last record of each key. */
  readonly #lastOf = new Map<string, KeyedRecord>();
  readonly #holder: KeyHolder;
  readonly #ports: Ports;
  readonly #policy: ConsumerPolicy;
  readonly #patience: Patience;
  readonly #lapses: () => number;

  /** @param lapses - how often the holder's lease may have ended: claims of keys end with it */
  constructor(holder: KeyHolder, ports: Ports, policy: ConsumerPolicy, giveUpAt: EpochMs, lapses: () => number) {
    this.#holder = holder;
    this.#lapses = lapses;
    this.#ports = ports;
    this.#policy = policy;
    const { clock, entropy } = ports;
    this.#patience = { clock, entropy, giveUpAt, isFinal: isFinalError };
  }

  /**
   * Claims the keys of `records`, in offset order: one call, whatever their number, unless another partition holds one of them.
   * Records that are looked at later may follow in calls of their own. @throws when the table cannot be reached
   */
  async prepare(records: readonly KeyedValue[]): Promise<void> {
    const added: KeyedRecord[] = [];
    for (const { record, idempotencyKey } of records) {
      const keyed: KeyedRecord = {
        record,
        key: ledgerKeyOfIdempotencyKey(this.#policy.keyNamespace, idempotencyKey),
        leader: undefined,
        end: undefined,
        ended: undefined,
        verdict: undefined,
        claimed: false,
        replaces: undefined,
        lapses: 0,
      };
      const last = this.#lastOf.get(keyed.key);
      if (last === undefined || last.record.offset < record.offset) {
        keyed.leader = last;
        this.#lastOf.set(keyed.key, keyed);
      } else await this.#lineUp(keyed);
      this.#byOffset.set(record.offset, keyed);
      added.push(keyed);
    }
    await this.#judge(added.filter(({ leader }) => leader === undefined));
  }

  /** Puts a record behind those of its key that come before it, and before those that come after it though they were asked first. */
  async #lineUp(keyed: KeyedRecord): Promise<void> {
    const { key, record } = keyed;
    const same = [...this.#byOffset.values()].filter((other) => other.key === key).sort(byOffset);
    keyed.leader = same.findLast((other) => other.record.offset < record.offset);
    const follower = same.find((other) => other.record.offset > record.offset);
    if (follower === undefined) return;
    if (follower.end !== undefined && !follower.claimed) keyed.leader = follower;
    else {
      await this.#giveBack(follower.claimed ? [follower] : []);
      follower.verdict = undefined;
      follower.leader = keyed;
    }
  }

  /** The record of this batch whose end decides about `record`, as long as it has not ended. */
  waitsFor(record: DeliveredRecord): DeliveredRecord | undefined {
    const leader = this.#byOffset.get(record.offset)?.leader;
    return leader === undefined || leader.end !== undefined ? undefined : leader.record;
  }

  /** What the key of `record` says now that it is its turn. A second record of a key waits for the first. */
  verdict(record: DeliveredRecord): Promise<KeyVerdict> | KeyVerdict {
    const keyed = this.#byOffset.get(record.offset);
    // No key was asked for because nothing was to run: what runs all the same waits for the next claim.
    if (keyed === undefined) return { type: 'held' };
    if (keyed.verdict !== undefined && !this.#mayBeLost(keyed)) return keyed.verdict;
    return this.#verdictNow(keyed);
  }

  async #verdictNow(keyed: KeyedRecord): Promise<KeyVerdict> {
    const { leader, record } = keyed;
    if (keyed.verdict === undefined && leader !== undefined) {
      const end = await endOf(leader);
      if (end === 'open') return decided(keyed, HELD);
      if (end === 'settled') {
        const same = leader.record.valueHash === record.valueHash;
        return decided(keyed, same ? { type: 'duplicate' } : { type: 'reused', by: leader.record.position });
      }
    }
    // Ours may be lost, or the first one has its letter and gave the key back: now the key is ours to claim.
    await this.#judge([keyed]);
    return keyed.verdict ?? HELD;
  }

  /** What completes the key of `record`, for a transaction that settles it. */
  completion(record: DeliveredRecord): KeyCompletion | undefined {
    const keyed = this.#byOffset.get(record.offset);
    return keyed === undefined ? undefined : { key: keyed.key, item: this.#item(keyed, 'COMPLETED') };
  }

  /** The record was handled: what the next write has to complete before it. */
  handled(record: DeliveredRecord): KeyCompletion | undefined {
    const keyed = this.#byOffset.get(record.offset);
    if (keyed === undefined) return undefined;
    keyed.claimed = false;
    endAs(keyed, 'settled');
    return this.completion(record);
  }

  /** The record is a duplicate, of this batch or of what was completed before. */
  duplicate(record: DeliveredRecord): void {
    endAs(this.#byOffset.get(record.offset), 'settled');
  }

  /** The record has its letter: its key is free, so that a redrive can run it. */
  async deadLettered(record: DeliveredRecord): Promise<void> {
    const keyed = this.#byOffset.get(record.offset);
    if (keyed === undefined) return;
    await this.#giveBack(keyed.claimed ? [keyed] : []);
    endAs(keyed, 'givenBack');
  }

  /** The record stays unsettled in this invocation. */
  open(record: DeliveredRecord): void {
    endAs(this.#byOffset.get(record.offset), 'open');
  }

  /**
   * Before the partition is released: gives back every key that is still claimed, or two partitions could wait for each other
   * for ever. What cannot be given back is dead with our epoch, and is taken over on conflict.
   */
  async giveBackUnsettled(): Promise<void> {
    await this.#giveBack([...this.#byOffset.values()].filter(({ claimed }) => claimed));
  }

  async #giveBack(given: readonly KeyedRecord[]): Promise<void> {
    if (given.length === 0) return;
    const returns = given.map(({ key }) => ({ key, holder: this.#holder }));
    await repeatEach(returns, (open) => this.#ports.keys.giveBack(open), this.#patience);
    for (const keyed of given) keyed.claimed = false;
  }

  /** Whether another partition may have taken the key over, as the lease that the claim rests on seemed to have ended. */
  #mayBeLost({ claimed, lapses }: KeyedRecord): boolean {
    return claimed && lapses !== this.#lapses();
  }

  /** Claims the keys of `asked`, and says what each means for its record. */
  async #judge(asked: readonly KeyedRecord[]): Promise<void> {
    for (const keyed of asked) {
      keyed.lapses = this.#lapses();
      keyed.replaces = undefined;
    }
    let open = asked;
    for (let round = 0; round < MOST_ROUNDS && open.length > 0; round++) open = await this.#ask(open);
    for (const keyed of open) decided(keyed, HELD);
  }

  /** Claims each key once. Returns those that are worth another claim: their items were gone, or have a dead holder. */
  async #ask(asked: readonly KeyedRecord[]): Promise<readonly KeyedRecord[]> {
    const answers = await this.#claim(asked);
    const again: KeyedRecord[] = [];
    const held: KeyedRecord[] = [];
    for (let index = 0; index < asked.length; index++) {
      const keyed = asked[index] as KeyedRecord;
      const answer = answers[index];
      keyed.replaces = answer?.type === 'held' ? answer.item : undefined;
      const standing = keyed.replaces === undefined ? undefined : this.#standing(keyed, keyed.replaces);
      if (answer?.type === 'gone' || standing?.type === 'free') again.push(keyed);
      else if (standing?.type === 'held') held.push(keyed);
      else decided(keyed, standing === undefined || standing.type === 'ours' ? RUN : standing);
    }
    if (held.length > 0) await this.#lookAtHolders(held, again);
    return again;
  }

  /** @param again - takes those whose holder is dead */
  async #lookAtHolders(held: readonly KeyedRecord[], again: KeyedRecord[]): Promise<void> {
    const alive = new Map<string, Promise<boolean>>();
    await sideBySide(held, LOOKS_AT_ONCE, async (keyed) => {
      const { claimedBy } = keyed.replaces as KeyItem;
      const holder = `${claimedBy.ledgerKey}#${claimedBy.epoch}`;
      const looking = alive.get(holder) ?? this.#lives(claimedBy);
      alive.set(holder, looking);
      if (await looking) decided(keyed, HELD);
      else again.push(keyed);
    });
  }

  #standing({ record }: KeyedRecord, item: KeyItem): KeyStanding {
    const { position, valueHash } = record;
    return decideKey(item, { position, valueHash, holder: this.#holder }, this.#ports.clock.now());
  }

  #claim(asked: readonly KeyedRecord[]): Promise<readonly Exclude<KeyClaimAnswer, UnknownFate>[]> {
    const now = this.#ports.clock.now();
    const requests = asked.map((keyed) => {
      const { key, replaces } = keyed;
      const item = this.#item(keyed, 'IN_PROGRESS', now);
      return replaces === undefined ? { key, item } : { key, item, replaces };
    });
    return repeatEach(requests, (unanswered) => this.#ports.keys.claim(unanswered), this.#patience);
  }

  async #lives(holder: KeyHolder): Promise<boolean> {
    if (holder.ledgerKey === this.#holder.ledgerKey) return true;
    const partition = parseLedgerKey(holder.ledgerKey);
    if (partition === undefined) return false;
    const item = await repeat(() => this.#ports.ledger.read(partition), this.#patience);
    return isHolderAlive(item, holder, this.#ports.clock.now());
  }

  #item({ record }: KeyedRecord, status: KeyItem['status'], now = this.#ports.clock.now()): KeyItem {
    return {
      status,
      position: record.position,
      claimedBy: this.#holder,
      valueHash: record.valueHash,
      expiresAt: Math.floor(now / 1_000) + this.#policy.keyTtlSeconds,
    };
  }
}

function byOffset(a: KeyedRecord, b: KeyedRecord): number {
  return a.record.offset - b.record.offset;
}

function decided(keyed: KeyedRecord, verdict: KeyVerdict): KeyVerdict {
  keyed.claimed = verdict === RUN;
  keyed.verdict = verdict;
  return verdict;
}

function endAs(keyed: KeyedRecord | undefined, end: End): void {
  if (keyed === undefined) return;
  keyed.end ??= end;
  keyed.ended?.resolve(end);
}

function endOf(keyed: KeyedRecord): Promise<End> | End {
  if (keyed.end !== undefined) return keyed.end;
  keyed.ended ??= Promise.withResolvers();
  return keyed.ended.promise;
}
