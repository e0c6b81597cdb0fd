import type { Cluster } from 'kafkajs/src/cluster/index.js';
import protocolErrors from 'kafkajs/src/protocol/error.js';
import fetchRequest from 'kafkajs/src/protocol/requests/fetch/v11/request.js';
import type { TopicPartition } from '../../record/item-identifier.ts';
import type { Offset } from '../../record/units.ts';
import { type FetchedPiece, pieceOf, type RawPiece, readFetchAnswer } from '../kafka-format/fetched-piece.ts';

/** The result of a fetch: the records from an offset on, or the log's first offset if that offset is not in the log. */
export type Fetched =
  | { readonly type: 'piece'; readonly piece: FetchedPiece }
  | { readonly type: 'outside'; readonly logStart: Offset };

/** The result for one of several partitions. The error is a FetchError or an error of kafkajs. */
export type FetchedOfSeveral = Fetched | { readonly type: 'failed'; readonly error: Error };

/** Where to read a partition, and how much. One whole batch comes in any case. */
export interface FetchFrom {
  readonly partition: number;
  readonly from: Offset;
  readonly maxBytes: number;
}

/** An error that {@link readKafkaFailure} can classify. */
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

/** How long a broker may hold back an empty answer. */
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
  const wanted = { partition, from, maxBytes };
  const fetched = (await fetchPartitions(cluster, topic, [wanted], { maxBytes })).get(partition);
  if (fetched === undefined) throw new FetchError('UNKNOWN_PARTITION', { retriable: false });
  if (fetched.type === 'failed') throw fetched.error;
  return fetched;
}

/**
 * Fetches several partitions of a topic with one request to each leader. The first ones are served first. An error of one
 * partition is reported for that partition only. A partition that the topic does not have is left out.
 *
 * @throws an error that concerns all: no connection, no leader
 */
export async function fetchPartitions(
  cluster: Cluster,
  topic: string,
  wanted: readonly FetchFrom[],
  { maxBytes, emptyWaitMs = EMPTY_WAIT_MS }: { readonly maxBytes: number; readonly emptyWaitMs?: number },
): Promise<ReadonlyMap<number, FetchedOfSeveral>> {
  const leaders = await leadersOf(
    cluster,
    topic,
    wanted.map(({ partition }) => partition),
  );
  const answers = await Promise.all(
    Object.entries(leaders).map(async ([nodeId, partitions]) => {
      const broker = await cluster.findBroker({ nodeId });
      const leader = await broker.connectionPool.getConnection();
      const payload = await leader.send({
        request: fetchRequest({
          replicaId: -1,
          maxWaitTime: emptyWaitMs,
          minBytes: 1,
          maxBytes,
          isolationLevel: COMMITTED,
          topics: [
            {
              topic,
              partitions: wanted
                .filter(({ partition }) => partitions.includes(partition))
                .map(({ partition, from, maxBytes: most }) => ({
                  partition,
                  fetchOffset: String(from),
                  maxBytes: most,
                })),
            },
          ],
        }),
        response: {
          decode: async (answer) => ({ clientSideThrottleTime: answer.readInt32BE(0), answer }),
          parse: async ({ answer }) => answer,
        },
      });
      const { errorCode, pieces } = decoded(() => readFetchAnswer(payload));
      if (errorCode !== 0) throw protocolErrors.createErrorFromCode(errorCode);
      return pieces;
    }),
  );
  const pieces = answers.flat();
  // Mostly the leader has changed: the next try must know the new one.
  if (pieces.some(({ errorCode }) => errorCode !== 0 && errorCode !== OFFSET_OUT_OF_RANGE)) {
    await cluster.refreshMetadata();
  }
  const fetched = pieces.map(async (piece) => [piece.partition, await fetchedOf(cluster, topic, piece)] as const);
  return new Map(await Promise.all(fetched));
}

/** Partitions by the node that leads them. The topic is read again to see partitions that were added to it. */
async function leadersOf(
  cluster: Cluster,
  topic: string,
  partitions: readonly number[],
): Promise<Readonly<Record<string, readonly number[]>>> {
  await cluster.addTargetTopic(topic);
  const leaders = cluster.findLeaderForPartitions(topic, partitions);
  if (Object.values(leaders).flat().length === partitions.length) return leaders;
  await cluster.refreshMetadata();
  return cluster.findLeaderForPartitions(topic, partitions);
}

async function fetchedOf(cluster: Cluster, topic: string, raw: RawPiece): Promise<FetchedOfSeveral> {
  const { partition, errorCode } = raw;
  if (errorCode === OFFSET_OUT_OF_RANGE) {
    const [found] = await cluster.fetchTopicsOffset([{ topic, partitions: [{ partition }], fromBeginning: true }]);
    return { type: 'outside', logStart: Number(found?.partitions[0]?.offset ?? 0) };
  }
  if (errorCode !== 0) return { type: 'failed', error: protocolErrors.createErrorFromCode(errorCode) };
  try {
    return { type: 'piece', piece: decoded(() => pieceOf(raw)) };
  } catch (error) {
    return { type: 'failed', error: error instanceof Error ? error : unreadableRecords(error) };
  }
}

/** Bytes that cannot be decoded will not be better next time. */
function decoded<T>(read: () => T): T {
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
