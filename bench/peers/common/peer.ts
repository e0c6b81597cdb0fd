import type { Context } from 'aws-lambda';
import type { KafkaEvent } from '../../../shared/record/kafka-event.ts';
import type { BatchAnswer } from './batch-answer.ts';

/** What a duplicate is known by. */
export type KeyedBy = 'position' | 'orderId';

/** A consumer on a store in memory. */
export interface InMemoryConsumer {
  readonly handler: (event: KafkaEvent, context: Context) => Promise<BatchAnswer>;
  /** Forgets all that was stored. */
  forget(): void;
}

/** One of the four. Each is also a Lambda function as one would deploy it: `handler.ts` beside it. */
export interface Peer {
  /** @param latencyMs - what each request to the store takes at least; 0: an answer at once */
  inMemory(keyedBy: KeyedBy, latencyMs: number): InMemoryConsumer;
}
