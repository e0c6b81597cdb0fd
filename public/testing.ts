/** `lockstep/testing`: what tests of consumers need. No AWS, no broker, no environment. */

/** Lambda's Kafka poller as functions of values: what goes into a batch, and what an answer brings back. */
export {
  type AfterOutcome,
  afterDelivery,
  afterOutcome,
  type Batch,
  type BatchPart,
  committable,
  DEFAULT_RULES,
  type Discard,
  type DiscardCondition,
  emptyPoller,
  emptyQueue,
  fetched,
  type InvocationOutcome,
  type MappingRules,
  type NextBatch,
  nextBatch,
  type PartitionQueue,
  type PollerState,
  type QueuedRecord,
  RESEND_READINGS,
  type ReportedFailure,
  type ResendReading,
  type Run,
  readAnswer,
  retryLimit,
  withQueue,
} from '../infra/local/event-source/decide.ts';
export { deliver } from '../shared/testing/deliver.ts';
export type { Delivery, DeliveryFaults } from '../shared/testing/delivery.ts';
export {
  type FakeDeadLetterTopic,
  type FakeDeadLetterTopicOptions,
  fakeDeadLetterTopic,
  type LetterFault,
} from '../shared/testing/fake-dead-letter-topic.ts';
export {
  type FakeFallbackQueue,
  type FakeFallbackQueueOptions,
  type FallbackFault,
  fakeFallbackQueue,
} from '../shared/testing/fake-fallback-queue.ts';
export { type FakeIdempotencyKeyStore, fakeIdempotencyKeyStore } from '../shared/testing/fake-idempotency-key-store.ts';
export { type FakeLedgerOptions, type FakeLedgerStore, fakeLedgerStore } from '../shared/testing/fake-ledger-store.ts';
export { kafkaEvent, type RecordOptions, record, type TestRecord } from '../shared/testing/record.ts';
export { VirtualClock } from '../shared/testing/virtual-clock.ts';
