import type { Progress } from '../../shared/decide/progress.ts';
import { type LedgerPartition, partitionName } from '../../shared/record/item-identifier.ts';
import {
  type FakeIdempotencyKeyStore,
  fakeIdempotencyKeyStore,
} from '../../shared/testing/fake-idempotency-key-store.ts';
import { type FakeLedgerStore, fakeLedgerStore } from '../../shared/testing/fake-ledger-store.ts';
import type { TransactAction } from '../../shared/transact-action.ts';
import type { HistoryEvent, Writer } from './history.ts';
import { TOPIC } from './kafka-log.ts';

/** The cluster that the topic is in, and the one that it may move to. */
export const CLUSTERS = ['11111111-2222-3333-4444-555555555555-1', '66666666-7777-8888-9999-000000000000-2'] as const;
export const GROUP = 'simulated';

/** The ledger's table: one fake for all hosts, watched. */
export class LedgerWorld {
  readonly ledger: FakeLedgerStore;
  readonly keys: FakeIdempotencyKeyStore;
  cluster: string = CLUSTERS[0];
  #effects = 0;
  #writer: { readonly by: Writer; readonly generation: number } = { by: { type: 'operator' }, generation: 0 };

  /**
   * @param emitEffect - told of each effect before the change that it came with
   * @param refuseEffect - whether the condition of this effect does not hold
   */
  constructor(
    emit: (event: HistoryEvent) => void,
    emitEffect: (effect: TransactAction) => void,
    refuseEffect: (effect: TransactAction) => boolean,
  ) {
    const keys = fakeIdempotencyKeyStore();
    this.keys = {
      ...keys,
      complete: (completions) => {
        const answer = keys.complete(completions);
        for (const { key, item } of completions)
          if (keys.items.get(key)?.status === 'COMPLETED') emit({ type: 'completed', key, position: item.position });
        return answer;
      },
    };
    const tellEffects = () => {
      const { effects } = this.ledger;
      for (; this.#effects < effects.length; this.#effects++) emitEffect(effects[this.#effects] as TransactAction);
    };
    this.ledger = fakeLedgerStore({
      keys: this.keys,
      refuseEffect: (effect) =>
        refuseEffect(effect) ? { code: 'ConditionalCheckFailed', text: 'simulated' } : undefined,
      onParked: (partition, before, after) => {
        tellEffects();
        emit({ type: 'parked', by: this.#writer.by, place: partitionName(partition), before, after });
      },
      onChange: (partition, before, after) => {
        tellEffects();
        emit({ type: 'changed', ...this.#writer, place: partitionName(partition), before, after });
      },
    });
  }

  /** Names who is behind a request; what it changes is changed within `request`. */
  as<T>(by: Writer, generation: number, request: () => T): T {
    this.#writer = { by, generation };
    return request();
  }

  /** As the runtime names it. */
  partition(partition: number): LedgerPartition {
    return { cluster: this.cluster, group: GROUP, topic: TOPIC, partition };
  }

  progressOf(partition: number): Progress | undefined {
    return this.ledger.peek(this.partition(partition))?.progress;
  }
}
