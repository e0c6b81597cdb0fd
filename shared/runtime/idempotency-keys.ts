import type { KeyCompletion } from '../ports/ledger-store.ts';
import type { DeliveredRecord } from '../record/delivered-record.ts';
import type { Offset } from '../record/units.ts';
import { keyedContentHash, ledgerKeyOfIdempotencyKey } from './idempotency-key-text.ts';
import { type Claimant, HELD, type KeyClaims, type KeyVerdict, noteVerdict } from './key-claims.ts';

/** A record and its idempotency key. */
export interface KeyedValue {
  readonly record: DeliveredRecord;
  readonly idempotencyKey: string;
  /** Hash of the content that must be equal in records with one key. */
  readonly contentHash: string;
}

/** How a record ended, for later records with its key. */
type End = 'settled' | 'givenBack' | 'open';

interface KeyedRecord extends Claimant {
  /** The record before this one in the batch that has the same key. */
  leader: KeyedRecord | undefined;
  end: End | undefined;
  /** Resolves with `end`, for records that wait for it. */
  ended: PromiseWithResolvers<End> | undefined;
}

/**
 * The idempotency keys of one claimed partition. They are claimed for the whole batch at once. A key whose claim may be lost is
 * claimed again when its record's turn comes. Keys of records that are not settled are given back.
 */
export class IdempotencyKeys {
  readonly #byOffset = new Map<Offset, KeyedRecord>();
  /** The last record of each key. */
  readonly #lastOf = new Map<string, KeyedRecord>();
  readonly #claims: KeyClaims;
  readonly #namespace: string;
  readonly #secret: Buffer | undefined;

  /**
   * @param namespace - equal keys mean the same record within it
   * @param secret - with which keys are hashed; without one anybody may hash them
   */
  constructor(claims: KeyClaims, namespace: string, secret?: Buffer) {
    this.#claims = claims;
    this.#namespace = namespace;
    this.#secret = secret;
  }

  /**
   * Claims the keys of `records`, in offset order, all at once. Crash isolation adds single records later.
   *
   * @throws when the table cannot be reached
   */
  async prepare(records: readonly KeyedValue[]): Promise<void> {
    const added: KeyedRecord[] = [];
    for (const { record, idempotencyKey, contentHash } of records) {
      const keyed: KeyedRecord = {
        record,
        contentHash: this.#secret === undefined ? contentHash : keyedContentHash(contentHash, this.#secret),
        key: ledgerKeyOfIdempotencyKey(this.#namespace, idempotencyKey, this.#secret),
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
    await this.#claims.judge(added.filter(({ leader }) => leader === undefined));
  }

  /** Puts a record between the earlier and the later ones of its key, even if the later ones came here first. */
  async #lineUp(keyed: KeyedRecord): Promise<void> {
    const { key, record } = keyed;
    const same = [...this.#byOffset.values()].filter((other) => other.key === key).sort(byOffset);
    keyed.leader = same.findLast((other) => other.record.offset < record.offset);
    const follower = same.find((other) => other.record.offset > record.offset);
    if (follower === undefined) return;
    if (follower.end !== undefined && !follower.claimed) keyed.leader = follower;
    else {
      await this.#claims.giveBack([follower]);
      follower.verdict = undefined;
      follower.leader = keyed;
    }
  }

  /** The earlier record of this batch with the same key, until it has ended. */
  waitsFor(record: DeliveredRecord): DeliveredRecord | undefined {
    const leader = this.#byOffset.get(record.offset)?.leader;
    return leader === undefined || leader.end !== undefined ? undefined : leader.record;
  }

  /** Whether `record` has the same value as `leader`, a record with its key. */
  repeats(record: DeliveredRecord, leader: DeliveredRecord): boolean {
    return this.#byOffset.get(record.offset)?.contentHash === this.#byOffset.get(leader.offset)?.contentHash;
  }

  /** What the key of `record` says when the record's turn comes. A second record of a key waits for the first. */
  verdict(record: DeliveredRecord): Promise<KeyVerdict> | KeyVerdict {
    const keyed = this.#byOffset.get(record.offset);
    // No key was claimed, since no record was going to run. A record that runs after all waits for the next claim of the
    // partition.
    if (keyed === undefined) return HELD;
    if (keyed.verdict !== undefined && !this.#claims.mayBeLost(keyed)) return keyed.verdict;
    return this.#verdictNow(keyed);
  }

  async #verdictNow(keyed: KeyedRecord): Promise<KeyVerdict> {
    const { leader } = keyed;
    if (keyed.verdict === undefined && leader !== undefined) {
      const end = await endOf(leader);
      if (end === 'open') return noteVerdict(keyed, HELD);
      if (end === 'settled') {
        const same = leader.contentHash === keyed.contentHash;
        return noteVerdict(keyed, same ? { type: 'duplicate' } : { type: 'reused', by: leader.record.position });
      }
    }
    // Our claim may be lost, or the earlier record was dead-lettered and gave the key back. The key is claimed again for this
    // one.
    try {
      await this.#claims.judge([keyed]);
    } catch (error) {
      // The state of the key is unknown: the record waits, and records settled before it are still written.
      this.#claims.report('an idempotency key was not claimed; its record waits', error);
      return HELD;
    }
    return keyed.verdict ?? HELD;
  }

  /** Whether another partition may have taken the key of `record` since {@link verdict} let it run. */
  mayBeLost(record: DeliveredRecord): boolean {
    const keyed = this.#byOffset.get(record.offset);
    return keyed !== undefined && this.#claims.mayBeLost(keyed);
  }

  /** The item that completes the key of `record`, for a transaction that settles it. */
  completion(record: DeliveredRecord): KeyCompletion | undefined {
    const keyed = this.#byOffset.get(record.offset);
    return keyed === undefined ? undefined : { key: keyed.key, item: this.#claims.item(keyed, 'COMPLETED') };
  }

  /** The record was handled. Returns the completion that the next write needs first. */
  handled(record: DeliveredRecord): KeyCompletion | undefined {
    const keyed = this.#byOffset.get(record.offset);
    if (keyed === undefined) return undefined;
    keyed.claimed = false;
    endAs(keyed, 'settled');
    return this.completion(record);
  }

  /** The record is a duplicate of an earlier one in this batch, or of one that was completed before. */
  duplicate(record: DeliveredRecord): void {
    endAs(this.#byOffset.get(record.offset), 'settled');
  }

  /**
   * The record was dead-lettered: its key is given back, so that a redrive can run it. Never rejects, since the dead letter
   * exists.
   */
  async deadLettered(record: DeliveredRecord): Promise<void> {
    const keyed = this.#byOffset.get(record.offset);
    if (keyed === undefined) return;
    await this.#giveBack([keyed]);
    endAs(keyed, 'givenBack');
  }

  /** The record stays unsettled in this invocation. */
  open(record: DeliveredRecord): void {
    endAs(this.#byOffset.get(record.offset), 'open');
  }

  /**
   * Gives back every key that is still claimed, before the partition is released. Otherwise two partitions could wait for each
   * other for ever. A key that cannot be given back can be taken over once our epoch has ended. Never rejects: the progress
   * must still be written.
   */
  async giveBackUnsettled(): Promise<void> {
    await this.#giveBack([...this.#byOffset.values()]);
  }

  async #giveBack(given: readonly KeyedRecord[]): Promise<void> {
    try {
      await this.#claims.giveBack(given);
    } catch (error) {
      this.#claims.report('idempotency keys were not given back; who wants one takes it over', error);
    }
  }
}

function byOffset(a: KeyedRecord, b: KeyedRecord): number {
  return a.record.offset - b.record.offset;
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
