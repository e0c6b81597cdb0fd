import type { ClaimPolicy } from '../decide/claim.ts';
import type { DeadLetterPublisher } from '../ports/dead-letter-publisher.ts';
import type { FallbackQueue } from '../ports/fallback-queue.ts';
import type { StackSecret } from '../ports/stack-secret.ts';
import type { TopicLog } from '../ports/topic-log.ts';
import type { LeasePolicy, LeasePorts } from '../runtime/lease.ts';

/** The settings of the relay. Those with the name of a consumer's option have its meaning. */
export interface RelayPolicy extends ClaimPolicy, LeasePolicy {
  readonly busyWaitMs: number;
  readonly maxAttempts: number;
  readonly deadLetterHeaders: readonly ('spring' | 'connect')[];
  readonly maxDeadLetterBytes: number;
  /** The mapping decodes values: a delivered value has another hash than Kafka's bytes. */
  readonly valuesDecodedByMapping: boolean;
}

/** Everything outside the process that the relay uses. */
export interface RelayPorts extends LeasePorts {
  readonly letters: DeadLetterPublisher;
  readonly fallback: FallbackQueue;
  readonly log: TopicLog;
  readonly secret: StackSecret;
  /** The cluster's uuid, as in the ledger's keys. */
  readonly cluster: string;
  readonly group: string;
  /** The source topic. */
  readonly topic: string;
}
