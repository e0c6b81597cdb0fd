import type { ClaimPolicy } from '../decide/claim.ts';
import type { Redact } from '../decide/error-summary.ts';
import type { ErrorClass, RetryPolicy } from '../decide/retry-policy.ts';
import type { Clock } from '../ports/clock.ts';
import type { DeadLetterPublisher } from '../ports/dead-letter-publisher.ts';
import type { Entropy } from '../ports/entropy.ts';
import type { FallbackQueue } from '../ports/fallback-queue.ts';
import type { HandlerScope } from '../ports/handler-scope.ts';
import type { IdempotencyKeyStore } from '../ports/idempotency-key-store.ts';
import type { LedgerStore } from '../ports/ledger-store.ts';
import type { OriginalReader } from '../ports/original-reader.ts';
import type { ParkedKeys } from '../ports/parked-keys.ts';
import type { RecordProducer } from '../ports/record-producer.ts';
import type { StackSecret } from '../ports/stack-secret.ts';
import type { Log, Telemetry } from '../ports/telemetry.ts';
import type { Tracer } from '../ports/tracer.ts';
import type { ConsumerRecord } from '../record/consumer-record.ts';
import type { ValueDecoder } from '../record/decode.ts';
import type { EpochMs, Offset } from '../record/units.ts';
import type { TransactAction } from '../transact-action.ts';
import type { Sandbox } from './sandbox.ts';

/** What a record handler gets besides the record. */
export interface RecordContext {
  /** 1 for the first try. Grows with each recorded attempt, over any number of invocations. */
  readonly attempt: number;
  /** Fencing token of the partition. It never gets lower. Use it in your own conditional writes. */
  readonly epoch: number;
  /** Fires before the deadline, and when another invocation takes the partition. */
  readonly signal: AbortSignal;
  /** Epoch milliseconds at which Lambda ends the invocation. */
  readonly deadline: EpochMs;
  /** Its lines carry topic, partition, offset, attempt and traceparent of this record. */
  readonly logger: Log;
  /**
   * Adds DynamoDB write actions. They are committed in one transaction with the settling of this record, exactly once. They are
   * discarded when the handler throws.
   * https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
   */
  transact(...actions: TransactAction[]): void;
  /**
   * Adds a record for another topic. The broker acknowledges it before this record is settled. After a crash it may be produced
   * again, with the same `x-lockstep-id`.
   */
  produce(topic: string, record: ProducedRecord): void;
}

/** A record to be produced. Text is written as UTF-8. */
export interface ProducedRecord {
  readonly key?: string | Uint8Array | null;
  readonly value: string | Uint8Array | null;
  readonly headers?: Readonly<Record<string, string | Uint8Array>>;
  /**
   * The record that it comes from. `onBatch` must name it: after a crash the calls may have other records, and the id must not
   * change. @default the record of the call
   */
  readonly from?: { readonly offset: Offset };
}

/** Nothing. The runtime would ignore a returned value, so returning one does not compile. */
export type HandlerResult = void | Promise<void>;

/** Does the work for one record. The error that it throws decides what happens to the record: docs/retry-and-idempotency.md. */
export type OnRecord<V> = (record: ConsumerRecord<V>, context: RecordContext) => HandlerResult;

/** Does the work for the open records of one partition. It settles all of them, or throws BatchFailure. */
export type OnBatch<V> = (records: readonly ConsumerRecord<V>[], context: RecordContext) => HandlerResult;

/** All settings of a consumer, validated and complete. Defaults and ranges are in shared/options.ts. */
export interface ConsumerPolicy extends ClaimPolicy {
  readonly order: 'partition' | 'key';
  readonly maxConcurrency: number;
  readonly maxBatchRecords: number;
  readonly retry: RetryPolicy & { readonly classify?: ((error: unknown) => ErrorClass | undefined) | undefined };
  readonly onUndecodable: 'deadLetter' | 'retry';
  readonly onKeyReuse: 'deadLetter' | 'skip';
  readonly keyNamespace: string;
  readonly keyTtlSeconds: number;
  readonly hashKeysWithSecret: boolean;
  readonly leaseMs: number;
  readonly busyWaitMs: number;
  /** `record`: a write after each record, and the next record waits for it. */
  readonly checkpointMs: number | 'record';
  readonly haltedAnswerDelayMs: number;
  readonly blockedAnswerDelayMs: number;
  readonly deadLetterHeaders: readonly ('spring' | 'connect')[];
  readonly maxDeadLetterBytes: number;
  readonly redact: Redact | undefined;
  readonly failureMode: 'report' | 'throw';
}

/** A consumer as its author defined it. */
export interface Consumer<V> {
  readonly value: ValueDecoder<V>;
  /** Absent with `byPosition`. */
  readonly idempotencyKey?: (record: ConsumerRecord<V>) => unknown;
  /** The part that must be equal where keys are equal. Absent: the whole value. */
  readonly compare?: (record: ConsumerRecord<V>) => unknown;
  readonly handler:
    | { readonly type: 'record'; readonly onRecord: OnRecord<V> }
    | { readonly type: 'batch'; readonly onBatch: OnBatch<V> };
  readonly policy: ConsumerPolicy;
}

/** Everything outside the process that a consumer uses. */
export interface Ports {
  readonly ledger: LedgerStore;
  readonly parkedKeys: ParkedKeys;
  readonly keys: IdempotencyKeyStore;
  readonly letters: DeadLetterPublisher;
  readonly fallback: FallbackQueue;
  readonly producer: RecordProducer;
  /** Signs dead letters, and recognises records that Lockstep wrote back. */
  readonly secret: StackSecret;
  /** Present where the mapping decodes values with a schema registry. */
  readonly originals?: OriginalReader;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly telemetry: Telemetry;
  readonly sandbox: Sandbox;
  /** Present where an OpenTelemetry SDK is loaded. */
  readonly tracer?: Tracer;
  /** Present where a rejected promise that nobody awaited is attributed to its record. */
  readonly handlerScope?: HandlerScope;
  /** Ends the process. Never returns in production. */
  readonly endProcess: () => void;
  /** Consumer group of the mapping. */
  readonly group: string;
  /** Where the consumer is, for the commands that log lines name: `--stack Prod --consumer Orders`. */
  readonly commandTarget?: string;
}
