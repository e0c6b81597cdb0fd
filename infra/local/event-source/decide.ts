/**
 * Lambda's Kafka poller as functions of values: what goes into a batch, what is resent. No I/O, no clock, no SDK; used by
 * the event source and by the simulation alike.
 *
 *   fetched ─▶ nextBatch ─▶ (invoke) ─▶ readAnswer ─▶ afterOutcome ─▶ (deliver) ─▶ afterDelivery
 *                                                              └─▶ committable
 */
export { type AfterOutcome, afterOutcome } from './after-outcome.ts';
export type { BatchPart } from './loading.ts';
export {
  DEFAULT_RULES,
  type MappingRules,
  RESEND_READINGS,
  type ResendReading,
  retryLimit,
} from './mapping-rules.ts';
export { type Batch, type NextBatch, nextBatch } from './next-batch.ts';
export {
  afterDelivery,
  committable,
  type Discard,
  type DiscardCondition,
  emptyPoller,
  emptyQueue,
  fetched,
  type PartitionQueue,
  type PollerState,
  type QueuedRecord,
  type Run,
  withQueue,
} from './partition-queue.ts';
export { type InvocationOutcome, type ReportedFailure, readAnswer } from './read-answer.ts';
