import type { ClaimPolicy } from '../decide/claim.ts';
import type { DeadLetterPublisher } from '../ports/dead-letter-publisher.ts';
import type { FallbackQueue } from '../ports/fallback-queue.ts';
import type { StackSecret } from '../ports/stack-secret.ts';
import type { TopicLog } from '../ports/topic-log.ts';
import type { LeasePolicy, LeasePorts } from '../runtime/lease.ts';

/** What the relay goes by; as the consumer's own options where they have the name. */
export interface RelayPolicy extends ClaimPolicy, LeasePolicy {
  readonly busyWaitMs: number;
  readonly maxAttempts: number;
  readonly deadLetterHeaders: readonly ('spring' | 'connect')[];
  readonly maxDeadLetterBytes: number;
  /** The mapping decodes values: what is delivered has another hash than what Kafka holds. */
  readonly valuesDecodedByMapping: boolean;
}

/** All that the relay reaches outside itself. */
export interface RelayPorts extends LeasePorts {
  readonly letters: DeadLetterPublisher;
  readonly fallback: FallbackQueue;
  readonly log: TopicLog;
  readonly secret: StackSecret;
  /** Cluster uuid, as the ledger's keys have it. */
  readonly cluster: string;
  readonly group: string;
  /** The source. */
  readonly topic: string;
}
