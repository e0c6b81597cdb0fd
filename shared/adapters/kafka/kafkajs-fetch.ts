import type { Cluster } from 'kafkajs/src/cluster/index.js';
import protocolErrors from 'kafkajs/src/protocol/error.js';
import fetchRequest from 'kafkajs/src/protocol/requests/fetch/v11/request.js';
import type { TopicPartition } from '../../record/item-identifier.ts';
import type { Offset } from '../../record/units.ts';
import { type FetchedPiece, readFetchAnswer } from '../kafka-format/fetched-piece.ts';

/** A fetch: what there is from an offset on, or where the log begins if that offset is not in it. */
export type Fetched =
  | { readonly type: 'piece'; readonly piece: FetchedPiece }
  | { readonly type: 'outside'; readonly logStart: Offset };

/** An error in which {@link readKafkaFailure} finds what it means. */
export class FetchError extends Error {
  readonly type: string;
  readonly retriable: boolean;

  constructor(type: string, { retriable, ...options }: ErrorOptions & { readonly retriable: boolean }) {
    super(type, options);
    this.name = 'FetchError';
    this.type = type;
    this.retriable = retriable;
  }
}

/** How long a broker may hold an empty answer back. */
const EMPTY_WAIT_MS = 250;
const OFFSET_OUT_OF_RANGE = 1;
const COMMITTED = 1;

/**
 * Fetches from the partition's leader, without a consumer group.
 *
 * @param maxBytes - of the answer; one whole batch comes in any case
 * @throws FetchError or an error of kafkajs
 */
export async function fetchFrom(
  cluster: Cluster,
  { topic, partition }: TopicPartition,
  from: Offset,
  maxBytes: number,
): Promise<Fetched> {
  await cluster.addTargetTopic(topic);
  const [nodeId] = Object.keys(cluster.findLeaderForPartitions(topic, [partition]));
  if (nodeId === undefined) throw new FetchError('UNKNOWN_PARTITION', { retriable: false });
  const broker = await cluster.findBroker({ nodeId });
  const leader = await broker.connectionPool.getConnection();
  const payload = await leader.send({
    request: fetchRequest({
      replicaId: -1,
      maxWaitTime: EMPTY_WAIT_MS,
      minBytes: 1,
      maxBytes,
      isolationLevel: COMMITTED,
      topics: [{ topic, partitions: [{ partition, fetchOffset: String(from), maxBytes }] }],
    }),
    response: {
      decode: async (answer) => ({ clientSideThrottleTime: answer.readInt32BE(0), answer }),
      parse: async ({ answer }) => answer,
    },
  });
  const piece = decoded(() => readFetchAnswer(payload));
  if (piece.errorCode === 0) return { type: 'piece', piece };
  if (piece.errorCode !== OFFSET_OUT_OF_RANGE) {
    // Mostly another leader: whoever tries again must know it.
    await cluster.refreshMetadata();
    throw protocolErrors.createErrorFromCode(piece.errorCode);
  }
  const [found] = await cluster.fetchTopicsOffset([{ topic, partitions: [{ partition }], fromBeginning: true }]);
  return { type: 'outside', logStart: Number(found?.partitions[0]?.offset ?? 0) };
}

/** Bytes that are not what they should be will not be better next time. */
export function decoded<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw unreadableRecords(cause);
  }
}

/** @param cause - why records could not be decoded */
export function unreadableRecords(cause: unknown): FetchError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new FetchError(`UNREADABLE_RECORDS (${why})`, { retriable: false, cause });
}
