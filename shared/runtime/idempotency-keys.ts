import { createHash } from 'node:crypto';
import { decideKey, isHolderAlive, type KeyHolder, type KeyItem, type KeyStanding } from '../decide/idempotency.ts';
import { LockstepError } from '../errors.ts';
import type { KeyCompletion } from '../ports/ledger-store.ts';
import type { DeliveredRecord } from '../record/delivered-record.ts';
import { parseLedgerKey } from '../record/item-identifier.ts';
import type { EpochMs, Offset } from '../record/units.ts';
import type { ConsumerPolicy, Ports } from './consumer.ts';
import { isFinalError } from './is-final-error.ts';
import { repeat, sideBySide } from './repeat.ts';

/** Requests for keys that are under way at a time: a batch of a hundred takes one round trip. */
const KEY_REQUESTS = 100;

/** What a record's key says when its turn comes. */
export type KeyVerdict =
  | { readonly type: 'run' }
  | { readonly type: 'duplicate' }
  | { readonly type: 'reused'; readonly by: string }
  /** A living invocation works on a record with the same key. */
  | { readonly type: 'held' };

/** A record and what `idempotencyKey` says of it. */
export interface KeyedValue {
  readonly record: DeliveredRecord;
  readonly idempotencyKey: string;
}

interface KeyedRecord {
  readonly record: DeliveredRecord;
  readonly key: string;
  /** The record of this batch that took the key before us. */
  leader: KeyedRecord | undefined;
  readonly ended: PromiseWithResolvers<'settled' | 'givenBack' | 'open'>;
  hasEnded: boolean;
  verdict: KeyVerdict | undefined;
  claimed: boolean;
  /** The lease's lapses when it was judged. */
  lapses: number;
}

/** `key#<namespace>#<sha-256 of the idempotency key>` */
export function ledgerKeyOfIdempotencyKey(namespace: string, idempotencyKey: string): string {
  return `key#${namespace}#${createHash('sha256').update(idempotencyKey).digest('hex')}`;
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
  readonly #giveUpAt: EpochMs;
  readonly #lapses: () => number;

  /** @param lapses - how often the holder's lease may have ended: claims of keys end with it */
  constructor(holder: KeyHolder, ports: Ports, policy: ConsumerPolicy, giveUpAt: EpochMs, lapses: () => number) {
    this.#holder = holder;
    this.#lapses = lapses;
    this.#ports = ports;
    this.#policy = policy;
    this.#giveUpAt = giveUpAt;
  }

  /**
   * Looks up and claims the keys of `records`, in offset order: two round trips, whatever their number, unless another
   * partition holds one of them. Records that are looked at later may follow in calls of their own. @throws when the table cannot be reached
   */
  async prepare(records: readonly KeyedValue[]): Promise<void> {
    const added: KeyedRecord[] = [];
    for (const { record, idempotencyKey } of records) {
      const key = ledgerKeyOfIdempotencyKey(this.#policy.keyNamespace, idempotencyKey);
      const keyed: KeyedRecord = {
        record,
        key,
        leader: undefined,
        ended: Promise.withResolvers(),
        hasEnded: false,
        verdict: undefined,
        claimed: false,
        lapses: 0,
      };
      await this.#lineUp(keyed);
      this.#byOffset.set(record.offset, keyed);
      added.push(keyed);
    }
    const first = added.filter(({ leader }) => leader === undefined);
    const known = await this.#repeat(() => this.#ports.keys.lookUp(first.map(({ key }) => key)));
    await sideBySide(first, KEY_REQUESTS, (keyed) => this.#judge(keyed, known.get(keyed.key)));
  }

  /** Puts a record behind those of its key that come before it, and before those that come after it though they were asked first. */
  async #lineUp(keyed: KeyedRecord): Promise<void> {
    const { key, record } = keyed;
    const last = this.#lastOf.get(key);
    if (last === undefined || last.record.offset < record.offset) {
      keyed.leader = last;
      this.#lastOf.set(key, keyed);
      return;
    }
    const same = [...this.#byOffset.values()].filter((other) => other.key === key).sort(byOffset);
    keyed.leader = same.findLast((other) => other.record.offset < record.offset);
    const follower = same.find((other) => other.record.offset > record.offset);
    if (follower === undefined) return;
    if (follower.hasEnded && !follower.claimed) keyed.leader = follower;
    else {
      await this.#giveBack(follower);
      follower.verdict = undefined;
      follower.leader = keyed;
    }
  }

  /** The record of this batch whose end decides about `record`, as long as it has not ended. */
  waitsFor(record: DeliveredRecord): DeliveredRecord | undefined {
    const leader = this.#byOffset.get(record.offset)?.leader;
    return leader === undefined || leader.hasEnded ? undefined : leader.record;
  }

  /** What the key of `record` says now that it is its turn. A second record of a key waits for the first. */
  async verdict(record: DeliveredRecord): Promise<KeyVerdict> {
    const keyed = this.#byOffset.get(record.offset);
    // No key was asked for because nothing was to run: what runs all the same waits for the next claim.
    if (keyed === undefined) return { type: 'held' };
    if (keyed.verdict !== undefined && !this.#mayBeLost(keyed)) return keyed.verdict;
    if (keyed.verdict !== undefined) {
      await this.#judge(keyed, undefined);
      return keyed.verdict;
    }
    const ended = await keyed.leader?.ended.promise;
    if (ended === 'settled' && keyed.leader !== undefined) {
      const same = keyed.leader.record.valueHash === record.valueHash;
      keyed.verdict = same ? { type: 'duplicate' } : { type: 'reused', by: keyed.leader.record.position };
    } else if (ended === 'open') {
      keyed.verdict = { type: 'held' };
    } else {
      // The first one has its letter and gave the key back: now the key is ours to claim.
      await this.#judge(keyed, undefined);
    }
    return keyed.verdict ?? { type: 'run' };
  }

  /** What completes the key of `record`, for a transaction that settles it. */
  completion(record: DeliveredRecord): KeyCompletion | undefined {
    const keyed = this.#byOffset.get(record.offset);
    return keyed === undefined ? undefined : { key: keyed.key, item: { ...this.#item(keyed), status: 'COMPLETED' } };
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
    await this.#giveBack(keyed);
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
    const claimed = [...this.#byOffset.values()].filter((keyed) => keyed.claimed);
    await sideBySide(claimed, KEY_REQUESTS, (keyed) => this.#giveBack(keyed));
  }

  async #giveBack(keyed: KeyedRecord): Promise<void> {
    if (!keyed.claimed) return;
    await this.#repeat(() => this.#ports.keys.giveBack(keyed.key, this.#holder));
    keyed.claimed = false;
  }

  /** Whether another partition may have taken the key over, as the lease that the claim rests on seemed to have ended. */
  #mayBeLost({ claimed, lapses }: KeyedRecord): boolean {
    return claimed && lapses !== this.#lapses();
  }

  async #judge(keyed: KeyedRecord, known: KeyItem | undefined): Promise<void> {
    keyed.lapses = this.#lapses();
    const seeker = { position: keyed.record.position, valueHash: keyed.record.valueHash, holder: this.#holder };
    let standing: KeyStanding = decideKey(known, seeker, this.#ports.clock.now());
    // Each claim that is refused shows who was faster; a few rounds settle who holds the key.
    for (let round = 0; round < 4; round++) {
      if (standing.type === 'duplicate' || standing.type === 'reused') {
        keyed.verdict = standing;
        return;
      }
      if (standing.type === 'ours') break;
      let replaces: KeyItem | undefined;
      if (standing.type === 'dead') replaces = standing.replaces;
      if (standing.type === 'held') {
        if (await this.#lives(standing.item.claimedBy)) {
          keyed.verdict = { type: 'held' };
          return;
        }
        replaces = standing.item;
      }
      const answer = await this.#claim(keyed, replaces);
      if (answer === undefined) {
        standing = { type: 'ours' };
        break;
      }
      standing = decideKey(answer, seeker, this.#ports.clock.now());
    }
    keyed.claimed = standing.type === 'ours';
    keyed.verdict = keyed.claimed ? { type: 'run' } : { type: 'held' };
  }

  async #claim(keyed: KeyedRecord, replaces: KeyItem | undefined): Promise<KeyItem | undefined> {
    const now = this.#ports.clock.now();
    const request = { key: keyed.key, item: this.#item(keyed), now, ...(replaces !== undefined && { replaces }) };
    const answer = await this.#repeat(() => this.#ports.keys.claim(request));
    return answer.type === 'granted' ? undefined : answer.item;
  }

  async #lives(holder: KeyHolder): Promise<boolean> {
    if (holder.ledgerKey === this.#holder.ledgerKey) return true;
    const partition = parseLedgerKey(holder.ledgerKey);
    if (partition === undefined) return false;
    const item = await this.#repeat(() => this.#ports.ledger.read(partition));
    return isHolderAlive(item, holder, this.#ports.clock.now());
  }

  #item({ record }: KeyedRecord): KeyItem {
    return {
      status: 'IN_PROGRESS',
      position: record.position,
      claimedBy: this.#holder,
      valueHash: record.valueHash,
      expiresAt: Math.floor(this.#ports.clock.now() / 1_000) + this.#policy.keyTtlSeconds,
    };
  }

  #repeat<T>(send: () => Promise<T>): Promise<T> {
    const { clock, entropy } = this.#ports;
    return repeat(send, { clock, entropy, giveUpAt: this.#giveUpAt, isFinal: isFinalError });
  }
}

function byOffset(a: KeyedRecord, b: KeyedRecord): number {
  return a.record.offset - b.record.offset;
}

function endAs(keyed: KeyedRecord | undefined, how: 'settled' | 'givenBack' | 'open'): void {
  if (keyed === undefined) return;
  keyed.hasEnded = true;
  keyed.ended.resolve(how);
}
