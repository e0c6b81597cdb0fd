import {
  IdempotencyItemAlreadyExistsError,
  IdempotencyItemNotFoundError,
  IdempotencyRecordStatus,
} from '@aws-lambda-powertools/idempotency';
import { BasePersistenceLayer, type IdempotencyRecord } from '@aws-lambda-powertools/idempotency/persistence';
import type { MSKEvent } from '@aws-lambda-powertools/kafka/types';
import { latency } from '../common/latency.ts';
import type { Peer } from '../common/peer.ts';
import { powertoolsConsumer } from './consumer.ts';

export const peer: Peer = {
  inMemory(keyedBy, latencyMs) {
    const store = new PersistenceInMemory(latencyMs);
    const consumer = powertoolsConsumer(keyedBy, store);
    // Their type of the event has every field that Lambda sends; the two describe the same thing.
    return { handler: (event, context) => consumer(event as MSKEvent, context), forget: () => store.forget() };
  },
};

/** What DynamoDBPersistenceLayer does, on a map: the same conditions. */
class PersistenceInMemory extends BasePersistenceLayer {
  readonly #records = new Map<string, IdempotencyRecord>();
  readonly #wait: () => Promise<void> | undefined;

  constructor(latencyMs: number) {
    super();
    this.#wait = latency(latencyMs);
  }

  forget(): void {
    this.#records.clear();
  }

  protected async _putRecord(record: IdempotencyRecord): Promise<void> {
    await this.#wait();
    const known = this.#records.get(record.idempotencyKey);
    const now = Date.now();
    const isFree =
      known === undefined ||
      (known.expiryTimestamp ?? 0) < now / 1_000 ||
      (known.getStatus() === IdempotencyRecordStatus.INPROGRESS && (known.inProgressExpiryTimestamp ?? now) < now);
    if (!isFree) throw new IdempotencyItemAlreadyExistsError('known', known);
    this.#records.set(record.idempotencyKey, record);
  }

  protected async _getRecord(key: string): Promise<IdempotencyRecord> {
    await this.#wait();
    const known = this.#records.get(key);
    if (known === undefined) throw new IdempotencyItemNotFoundError('unknown');
    return known;
  }

  protected async _updateRecord(record: IdempotencyRecord): Promise<void> {
    await this.#wait();
    this.#records.set(record.idempotencyKey, record);
  }

  protected async _deleteRecord(record: IdempotencyRecord): Promise<void> {
    await this.#wait();
    this.#records.delete(record.idempotencyKey);
  }
}
