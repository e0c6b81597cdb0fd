import type { DeliveredRecord } from '../record/delivered-record.ts';
import type { Outcome } from './outcome.ts';

/** Equal for records whose order matters. A record without a key orders nothing but itself. */
export function unitOf(order: 'partition' | 'key'): (record: DeliveredRecord) => unknown {
  return order === 'partition' ? () => '' : (record) => record.encodedKey ?? record;
}

/** What concerns more than the record's own unit. */
export function haltsPartition(outcome: Outcome): boolean {
  if (outcome.type !== 'notAttempted') return false;
  return ['deadline', 'paused', 'fenced', 'unavailable'].includes(outcome.reason);
}
