import type { EpochMs, Offset } from '../record/units.ts';

/** Why a record was not attempted. */
export type NotAttemptedReason =
  | 'halted'
  | 'deadline'
  | 'backOff'
  | 'missingRecord'
  | 'busy'
  | 'paused'
  | 'replay'
  | 'keyHeld'
  | 'full'
  /** Its key was freed meanwhile: the next claim finds it free. */
  | 'keyFreed'
  /** No more may be parked in its key, or no letter is taken now. */
  | 'parkedFull'
  | 'fenced'
  | 'unavailable';

/** What became of a record in this invocation. The first four settle it. */
export type Outcome =
  | { readonly type: 'handled' }
  | { readonly type: 'duplicate' }
  | { readonly type: 'deadLettered'; readonly deadLetterId: string }
  /** It waits in its parked key, for a release. */
  | { readonly type: 'parked'; readonly deadLetterId: string }
  /** Tried and failed, to be tried again, not before `notBefore`. `stalled`: its handler still runs. */
  | { readonly type: 'retry'; readonly notBefore?: EpochMs; readonly stalled?: true }
  | { readonly type: 'notAttempted'; readonly reason: NotAttemptedReason; readonly until?: EpochMs };

/** Whether the record needs no more work. */
export function settles({ type }: Outcome): boolean {
  return type === 'handled' || type === 'duplicate' || type === 'deadLettered' || type === 'parked';
}

/** Whether no other record of the partition may start, of any ordering unit. */
export function haltsPartition(outcome: Outcome): boolean {
  if (outcome.type !== 'notAttempted') return false;
  return ['deadline', 'paused', 'fenced', 'unavailable'].includes(outcome.reason);
}

/** Outcomes by offset. */
export type Outcomes = Map<Offset, Outcome>;
