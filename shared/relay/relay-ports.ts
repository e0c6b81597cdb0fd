import type { ClaimPolicy } from '../decide/claim.ts';
import type { ParkLimits } from '../decide/parking.ts';
import type { ReleasePolicy } from '../decide/release.ts';
import type { DeadLetterPublisher } from '../ports/dead-letter-publisher.ts';
import type { FallbackQueue } from '../ports/fallback-queue.ts';
import type { ParkedKeys } from '../ports/parked-keys.ts';
import type { StackSecret } from '../ports/stack-secret.ts';
import type { TopicLog } from '../ports/topic-log.ts';
import type { ReleaseEvent } from '../release/release-event.ts';
import type { ReleaseAnswer } from '../release/run-release.ts';
import type { LeasePolicy, LeasePorts } from '../runtime/lease.ts';

/** The settings of the relay. Those with the name of a consumer's option have its meaning. */
export interface RelayPolicy extends ClaimPolicy, LeasePolicy {
  readonly busyWaitMs: number;
  readonly maxAttempts: number;
  readonly deadLetterHeaders: readonly ('spring' | 'connect')[];
  readonly maxDeadLetterBytes: number;
  /** The mapping decodes values: a delivered value has another hash than Kafka's bytes. */
  readonly valuesDecodedByMapping: boolean;
  /** Present where the consumer parks the keys of exhausted records. */
  readonly park?: ParkLimits | undefined;
  /** Present where parked keys are tried again by themselves. */
  readonly release?: ReleasePolicy | undefined;
}

/** Everything outside the process that the relay uses. */
export interface RelayPorts extends LeasePorts {
  readonly letters: DeadLetterPublisher;
  readonly fallback: FallbackQueue;
  readonly log: TopicLog;
  readonly parkedKeys: ParkedKeys;
  /** Invokes the consumer function to release a parked key. Present where the relay may. */
  readonly release?: (event: ReleaseEvent) => Promise<ReleaseAnswer>;
  readonly secret: StackSecret;
  /** The cluster's uuid, as in the ledger's keys. */
  readonly cluster: string;
  readonly group: string;
  /** The source topic. */
  readonly topic: string;
  readonly deadLetterTopic: string;
}
