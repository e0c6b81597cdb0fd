import { decideKey, isHolderAlive, type KeyHolder, type KeyItem, type KeyState } from '../decide/idempotency.ts';
import type { KeyClaimRequest } from '../ports/idempotency-key-store.ts';
import type { DeliveredRecord } from '../record/delivered-record.ts';
import { parseLedgerKey } from '../record/item-identifier.ts';
import type { EpochMs } from '../record/units.ts';
import { sideBySide } from '../side-by-side.ts';
import type { ConsumerPolicy, Ports } from './consumer.ts';
import { type Patience, repeat, repeatEach } from './repeat.ts';

/** How many times a key is claimed. Each refusal shows another holder; a few tries decide who has it. */
const MOST_ROUNDS = 4;
/**
 * A claim ends with its holder's lease. This time is above 15 minutes, so that no claim expires during the longest invocation.
 */
const CLAIM_TTL_SECONDS = 3_600;
/** How many holders are read at a time. */
const LOOKS_AT_ONCE = 20;

/** What a record's key says when its turn comes. */
export type KeyVerdict =
  | { readonly type: 'run' }
  | { readonly type: 'duplicate' }
  | { readonly type: 'reused'; readonly by: string }
  /** Another invocation is handling a record with the same key. */
  | { readonly type: 'held' };

const RUN: KeyVerdict = { type: 'run' };
const FREE: KeyState = { type: 'free' };
/** The record waits: its key is not ours, or the table could not be reached. */
export const HELD: KeyVerdict = { type: 'held' };

/** A record that needs its key. */
export interface Claimant {
  readonly record: DeliveredRecord;
  readonly key: string;
  readonly contentHash: string;
  verdict: KeyVerdict | undefined;
  /** The key is ours, for this record. */
  claimed: boolean;
  /** The item that the next claim replaces. */
  replaces: KeyItem | undefined;
  /** The value of {@link Lease.lapses} when the key was claimed. */
  lapses: number;
}

/** Claims idempotency keys for one claimed partition, and gives them back. */
export class KeyClaims {
  readonly #holder: KeyHolder;
  readonly #ports: Ports;
  readonly #policy: ConsumerPolicy;
  readonly #patience: Patience;
  readonly #lapses: () => number;

  /** @param lapses - how often our lease was renewed after its end: claims of keys end with the lease */
  constructor(holder: KeyHolder, ports: Ports, policy: ConsumerPolicy, giveUpAt: EpochMs, lapses: () => number) {
    this.#holder = holder;
    this.#lapses = lapses;
    this.#ports = ports;
    this.#policy = policy;
    const { clock, entropy } = ports;
    this.#patience = { clock, entropy, giveUpAt };
  }

  /** Claims the keys of `asked`, and decides what each key means for its record. @throws when the table cannot be reached */
  async judge(asked: readonly Claimant[]): Promise<void> {
    for (const keyed of asked) {
      keyed.lapses = this.#lapses();
      keyed.replaces = undefined;
    }
    let open = asked;
    for (let round = 0; round < MOST_ROUNDS && open.length > 0; round++) open = await this.#ask(open);
    for (const keyed of open) noteVerdict(keyed, HELD);
  }

  /** Claims each key once. Returns those to claim again: their items were gone, or their holder is dead. */
  async #ask(asked: readonly Claimant[]): Promise<readonly Claimant[]> {
    const requests = this.#requestsOf(asked);
    const answers = await repeatEach(requests, (open) => this.#ports.keys.claim(open), this.#patience);
    const again: Claimant[] = [];
    const held: Claimant[] = [];
    for (let index = 0; index < asked.length; index++) {
      const keyed = asked[index] as Claimant;
      const answer = answers[index];
      keyed.replaces = answer?.type === 'held' ? answer.item : undefined;
      const state = this.#stateOf(keyed, requests[index]?.item);
      if (answer?.type === 'gone' || state?.type === 'free') again.push(keyed);
      else if (state?.type === 'held') held.push(keyed);
      else noteVerdict(keyed, state === undefined || state.type === 'ours' ? RUN : state);
    }
    if (held.length > 0) await this.#checkHolders(held, again);
    return again;
  }

  /** @param again - receives those whose holder is dead */
  async #checkHolders(held: readonly Claimant[], again: Claimant[]): Promise<void> {
    const alive = new Map<string, Promise<boolean>>();
    await sideBySide(held, LOOKS_AT_ONCE, async (keyed) => {
      const { claimedBy } = keyed.replaces as KeyItem;
      const holder = `${claimedBy.ledgerKey}#${claimedBy.epoch}`;
      const looking = alive.get(holder) ?? this.#isAlive(claimedBy);
      alive.set(holder, looking);
      if (await looking) noteVerdict(keyed, HELD);
      else again.push(keyed);
    });
  }

  /** What the item in `replaces` says; `undefined` where there is none. */
  #stateOf({ record, contentHash, replaces }: Claimant, asked: KeyItem | undefined): KeyState | undefined {
    if (replaces === undefined) return undefined;
    const seeker = { position: record.position, valueHash: contentHash, holder: this.#holder };
    const state = decideKey(replaces, seeker, this.#ports.clock.now());
    // Our claim from before the lease ended. Another invocation may still replace exactly this item, so a new one replaces it.
    return state.type === 'ours' && replaces.expiresAt !== asked?.expiresAt ? FREE : state;
  }

  #requestsOf(asked: readonly Claimant[]): readonly KeyClaimRequest[] {
    const now = this.#ports.clock.now();
    return asked.map((keyed) => {
      const { key, replaces } = keyed;
      const item = this.item(keyed, 'IN_PROGRESS', now);
      return replaces === undefined ? { key, item } : { key, item, replaces };
    });
  }

  async #isAlive(holder: KeyHolder): Promise<boolean> {
    if (holder.ledgerKey === this.#holder.ledgerKey) return true;
    const partition = parseLedgerKey(holder.ledgerKey);
    if (partition === undefined) return false;
    const { clock, ledger } = this.#ports;
    return repeat(async () => {
      // The time of the request, not of the answer: if the host freezes in between, a renewed lease would look ended.
      const askedAt = clock.now();
      return isHolderAlive(await ledger.read(partition), holder, askedAt);
    }, this.#patience);
  }

  /** Gives back those of `given` that are claimed. */
  async giveBack(given: readonly Claimant[]): Promise<void> {
    const claimed = given.filter((keyed) => keyed.claimed);
    if (claimed.length === 0) return;
    const holder = this.#holder;
    const returns = claimed.map(({ key, record }) => ({ key, holder, position: record.position }));
    await repeatEach(returns, (open) => this.#ports.keys.giveBack(open), this.#patience);
    for (const keyed of claimed) keyed.claimed = false;
  }

  /** Logs that the table could not be reached. The partition goes on without it. */
  report(what: string, error: unknown): void {
    const { ledgerKey, epoch } = this.#holder;
    const { telemetry } = this.#ports;
    telemetry.count('LedgerUnavailable');
    telemetry.log.error(what, { ledgerKey, epoch, error });
  }

  /** Whether another partition may have taken the key, because our lease seemed to have ended. */
  mayBeLost({ claimed, lapses }: Claimant): boolean {
    return claimed && lapses !== this.#lapses();
  }

  /** The item of a key that `record` holds. */
  item(
    { record, contentHash }: Pick<Claimant, 'record' | 'contentHash'>,
    status: KeyItem['status'],
    now = this.#ports.clock.now(),
  ): KeyItem {
    const { keyTtlSeconds } = this.#policy;
    const ttlSeconds = status === 'COMPLETED' ? keyTtlSeconds : Math.max(keyTtlSeconds, CLAIM_TTL_SECONDS);
    return {
      status,
      position: record.position,
      claimedBy: this.#holder,
      valueHash: contentHash,
      expiresAt: Math.floor(now / 1_000) + ttlSeconds,
    };
  }
}

/** Stores what a key says. */
export function noteVerdict(keyed: Claimant, verdict: KeyVerdict): KeyVerdict {
  keyed.claimed = verdict === RUN;
  keyed.verdict = verdict;
  return verdict;
}
