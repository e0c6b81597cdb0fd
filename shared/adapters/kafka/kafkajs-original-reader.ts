import type { Cluster } from 'kafkajs/src/cluster/index.js';
import { LockstepError } from '../../errors.ts';
import type { OriginalRangeReader, OriginalRecordAt } from '../../ports/original-reader.ts';
import { partitionName, positionName, type TopicPartition } from '../../record/item-identifier.ts';
import type { OffsetRange } from '../../record/offset-ranges.ts';
import type { EpochMs, Offset } from '../../record/units.ts';
import type { FetchedPiece } from '../kafka-format/fetched-piece.ts';
import { originalInPiece, passPiece, saysNothingYet, sliceOfPiece } from '../kafka-format/original-in-piece.ts';
import type { KafkaConnectionOptions } from './kafka-connection.ts';
import { kafkaJsCluster } from './kafkajs-client.ts';
import { FetchError, type Fetched, fetchFrom, unreadableRecords } from './kafkajs-fetch.ts';
import { KafkaJsLink } from './kafkajs-link.ts';
import type { OpenSocket } from './kafkajs-session.ts';

/** Bytes of one answer; more only where a single batch is larger. @default 4 MiB */
export const SLICE_BYTES = 4 * 1024 * 1024;
/** A broker always sends one whole batch. */
const ONE_BATCH = 1;

/**
 * Reads records by offset with plain fetches from the partition's leader. No consumer group has to be created, permitted,
 * joined and deleted, and one record costs the batch that contains it. All codecs; records of Kafka 0.11 and later.
 */
export function kafkaJsOriginalReader(
  options: KafkaConnectionOptions,
  openSocket?: OpenSocket,
  sliceBytes = SLICE_BYTES,
): OriginalRangeReader {
  const link = new KafkaJsLink<Cluster>(
    options,
    async ({ kafka }) => {
      const cluster = kafkaJsCluster(kafka, { allowAutoTopicCreation: false });
      await cluster.connect();
      return { client: cluster, goodbye: () => cluster.disconnect() };
    },
    openSocket,
  );

  const fetch = async <T>(
    what: string,
    partition: TopicPartition,
    from: Offset,
    maxBytes: number,
    giveUpAt: EpochMs,
    read: (fetched: Fetched) => Promise<T>,
  ): Promise<T> => {
    const end = await link.use(async (cluster) => read(await fetchFrom(cluster, partition, from, maxBytes)), giveUpAt);
    if (end.type === 'done') return end.value;
    const { failure } = end;
    const isUnreachable = failure === undefined || failure.type === 'unreachable';
    const why = failure === undefined ? '' : `: ${failure.reason}`;
    throw new LockstepError(
      isUnreachable ? 'BROKER_UNREACHABLE' : 'ORIGINAL_UNREADABLE',
      `${what} was not read back${end.type === 'late' ? ' in time' : ''}${why}`,
      failure === undefined ? undefined : { cause: failure.cause },
    );
  };

  return {
    read: (position, giveUpAt) => {
      const { offset } = position;
      return fetch(positionName(position), position, offset, ONE_BATCH, giveUpAt, async (fetched) => {
        if (fetched.type === 'piece') return readPiece(fetched.piece, (piece) => originalInPiece(piece, offset));
        const { logStart } = fetched;
        return offset < logStart ? { type: 'expired', logStart } : { type: 'absent' };
      });
    },
    readRange: (partition, range, giveUpAt) => {
      const what = `${partitionName(partition)}@${range.from}-${range.to}`;
      return fetch(what, partition, range.from, sliceBytes, giveUpAt, async (fetched) => {
        if (fetched.type === 'piece') return readPiece(fetched.piece, (piece) => sliceOfPiece(piece, range));
        const { logStart } = fetched;
        return { records: [], next: behindNothing(range, logStart), logStart };
      });
    },
    async *passThrough(partition, range, giveUpAt) {
      const what = `${partitionName(partition)}@${range.from}-${range.to}`;
      for (let from = range.from; from <= range.to; ) {
        // Unpacked after the request, so that the reader's own work does not count as request time.
        const fetched = await fetch(what, partition, from, sliceBytes, giveUpAt, async (found) => {
          if (found.type === 'piece' && saysNothingYet(found.piece, from)) throw nothingYet();
          return found;
        });
        if (fetched.type === 'outside') {
          from = behindNothing({ from, to: range.to }, fetched.logStart);
          yield { records: [], next: from };
          continue;
        }
        try {
          for await (const { records, next } of passPiece(fetched.piece, { from, to: range.to })) {
            yield { records: readable(what, records), next };
            from = next;
          }
        } catch (cause) {
          throw unreadable(what, cause);
        }
      }
    },
    disconnect: () => link.disconnect(),
  };
}

/** Where a range goes on if its beginning is outside of the log: at the log's first offset, or after the range. */
function behindNothing({ from, to }: OffsetRange, logStart: Offset): Offset {
  return from < logStart ? Math.min(logStart, to + 1) : to + 1;
}

function* readable(what: string, records: Iterable<OriginalRecordAt>): Generator<OriginalRecordAt> {
  try {
    yield* records;
  } catch (cause) {
    throw unreadable(what, cause);
  }
}

function unreadable(what: string, cause: unknown): LockstepError {
  return new LockstepError('ORIGINAL_UNREADABLE', `${what} was not read back: ${unreadableRecords(cause).type}`, {
    cause,
  });
}

function nothingYet(): FetchError {
  return new FetchError('NOTHING_FETCHED_YET', { retriable: true });
}

/** An answer that says nothing yet is requested again. */
async function readPiece<T>(piece: FetchedPiece, read: (piece: FetchedPiece) => Promise<T | undefined>): Promise<T> {
  const answer = await read(piece).catch((cause: unknown) => {
    throw unreadableRecords(cause);
  });
  if (answer === undefined) throw nothingYet();
  return answer;
}
