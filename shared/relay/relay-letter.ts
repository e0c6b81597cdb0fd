import { type DeadLetter, deadLetter, expiredLetter } from '../decide/dead-letter.ts';
import { fingerprint } from '../decide/fingerprint.ts';
import { DOUBTFUL_HEADER } from '../decide/letter.ts';
import { textHeader } from '../decide/letter-headers.ts';
import type { BlockedRecord, ErrorSummary } from '../decide/progress.ts';
import type { RelayCause } from '../decide/relay.ts';
import type { ReturnedRecord } from '../decide/returned-record.ts';
import { LockstepError } from '../errors.ts';
import type { OriginalRecordAt } from '../ports/original-reader.ts';
import { type LedgerPartition, partitionName } from '../record/item-identifier.ts';
import type { OffsetRange } from '../record/offset-ranges.ts';
import type { Invocation } from '../runtime/invocation.ts';
import type { RelayPolicy, RelayPorts } from './relay-ports.ts';

/** In the dead letter of a range of expired offsets: the last offset. */
export const LAST_OFFSET_HEADER = 'x-original-last-offset';

interface LetterSource {
  readonly ports: RelayPorts;
  readonly policy: RelayPolicy;
  readonly invocation: Invocation;
  readonly range: { readonly partition: LedgerPartition; readonly cause: RelayCause };
  readonly secret: Buffer;
}

/** The dead letter of a record that was read back. */
export function letterOf(
  source: LetterSource,
  { offset, record }: OriginalRecordAt,
  blocked: BlockedRecord,
  isDoubtfulRecord: boolean,
  returned: ReturnedRecord | undefined,
): DeadLetter {
  const { topic, partition } = source.range.partition;
  return deadLetter(
    { topic, partition, offset, ...record },
    {
      ...notice(source, blocked),
      returned,
      ...(isDoubtfulRecord && { more: [textHeader(DOUBTFUL_HEADER, 'true')] }),
    },
  );
}

/**
 * The dead letter of offsets that Kafka does not hold any more. It has no key and no value, and what the ledger knows of the
 * first record.
 */
export function letterOfExpired(
  source: LetterSource,
  { from, to }: OffsetRange,
  known: BlockedRecord | undefined,
): DeadLetter {
  const { ports, range } = source;
  const { topic, partition } = range.partition;
  const what = `${partitionName(range.partition)}@${from === to ? from : `${from}-${to}`} is gone from Kafka: ${range.cause.text}`;
  const expired = new LockstepError('RECORD_EXPIRED', what);
  const error: ErrorSummary = { name: expired.code, text: expired.message, stage: 'unattempted' };
  const timestamp = known?.timestamp ?? ports.clock.now();
  const identity = { offset: from, timestamp, valueHash: '' };
  const blocked: BlockedRecord = {
    attempts: 0,
    interruptions: 0,
    ...identity,
    ...known,
    exhausted: true,
    error,
    fingerprint: fingerprint(error),
  };
  return deadLetter(
    { topic, partition, offset: from, key: null, value: null, headers: [], timestamp },
    {
      ...notice(source, blocked),
      // The same for every copy, although the record's own time is not known.
      ...(known === undefined && { idSuffix: 'expired' }),
      more: [textHeader(LAST_OFFSET_HEADER, String(to))],
    },
  );
}

/** The letter of a parked record that Kafka holds no more. */
export function letterOfGone(source: LetterSource, mark: BlockedRecord): DeadLetter {
  const { topic, partition } = source.range.partition;
  return expiredLetter({ topic, partition, offset: mark.offset }, mark, notice(source, mark));
}

function notice({ ports, policy, invocation, secret }: LetterSource, blocked: BlockedRecord) {
  return {
    cluster: ports.cluster,
    group: ports.group,
    secret,
    blocked,
    stack: '',
    maxAttempts: policy.maxAttempts,
    now: ports.clock.now(),
    requestId: invocation.requestId,
    names: policy.deadLetterHeaders,
    maxBytes: policy.maxDeadLetterBytes,
  };
}
